extension EmulatorService {
    /// A POST to `/`: the query protocol.
    func answerSTS(_ request: ReceivedRequest) -> Answer {
        let now = clock()
        let form = FormFields(String(decoding: request.body, as: UTF8.self), plusIsSpace: true)
        let (resources, callers, fault) = beginSTS(form["Action"] ?? "")
        if let replacement = fault?.replacement(for: .sts) { return stamped(replacement, fault) }
        var trace = Trace(request)
        trace.note(form)
        var answer: Answer
        do {
            let caller = try SigV4Signature(callers: callers, regions: resources.stsRegions, now: now)
                .caller(of: request, trace: &trace)
            var content = try self.answer(form, by: caller, resources, at: now)
            note(content.session, trace)
            fault?.spoil(&content, at: now)
            answer = .text(content.xml, type: "text/xml", status: 200)
        } catch {
            note(trace, code: error.code, message: error.message, detail: nil)
            answer = .text(error.xml, type: "text/xml", status: error.status)
        }
        fault?.spoil(&answer)
        return stamped(answer, fault)
    }

    private func answer(
        _ form: FormFields, by caller: Caller, _ resources: Resources, at now: UTCTime
    ) throws(STSError) -> STSAnswer {
        if let name = form.repeatedName {
            throw STSError(
                status: 404, code: "MalformedQueryString", message: "The parameter '\(name)' stands twice")
        }
        let action = form["Action"] ?? ""
        let version = form["Version"] ?? ""
        guard ["GetCallerIdentity", "AssumeRole", "GetSessionToken"].contains(action), version == "2011-06-15" else {
            throw STSError(
                status: 400, code: "InvalidAction", message: "Could not find operation \(action) for version \(version)"
            )
        }
        if action == "GetCallerIdentity" { return STSAnswer(caller.identity) }
        let parameters = STSParameters(form: form)
        let hasMFA = try MFACheck(caller: caller, now: now).passes(parameters) { take($0, of: $1) }
        if action == "AssumeRole" {
            return try AssumeRole(resources: resources, caller: caller, now: now, hasMFA: hasMFA).answer(parameters)
        }
        return try GetSessionToken(caller: caller, now: now, hasMFA: hasMFA).answer(parameters)
    }
}
