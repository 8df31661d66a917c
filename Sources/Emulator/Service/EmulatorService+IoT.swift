extension EmulatorService {
    /// Any request to the endpoint that wants a client certificate.
    package func handleIoT(_ request: ReceivedRequest) -> Answer {
        let now = clock()
        let (resources, fault) = beginIoT()
        if let replacement = fault?.replacement(for: .iot) { return stamped(replacement, fault) }
        var trace = Trace(request)
        trace.thingName = request.value(of: "x-amzn-iot-thingname")
        var answer: Answer
        do {
            let session = try AssumeRoleWithCertificate(resources: resources, now: now).session(request)
            noteIoT(session, trace)
            var content = IoTAnswer(session)
            fault?.spoil(&content, at: now)
            answer = .json(content)
        } catch {
            note(trace, code: error.message, message: error.message, detail: error.detail)
            answer = error.answer
        }
        fault?.spoil(&answer)
        return stamped(answer, fault)
    }
}
