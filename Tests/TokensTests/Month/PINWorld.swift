import AgentAPI
import Clocks
import Foundation
import LockedMemory
import Logging
import ModuleFiles
import PKCS11URI
import Prompts
import TokenService

@testable import Tokens

/// Cards, modules, people and one agent after the other, on a machine whose time stands still until it is let go.
final class PINWorld: @unchecked Sendable {  // used by one thread
    let time = MachineTime()
    let loop: JobLoop
    let witness = CardWitness()
    /// What latencies, faults and people follow.
    var dice: SeededDice
    let cards: [ScriptedCard]
    let modules: [ScriptedModule]
    private(set) var life: AgentLife
    private var running: Tokens?
    private var rules: [Int: CardRule] = [:]
    private var rulesBefore: (rules: [Int: CardRule], until: Int64) = ([:], 0)
    private var configured: [ModuleConfiguration] = []
    private(set) var workers: [ScriptedWorker] = []
    private var people: [ScriptedPerson] = []
    private var acts: [ObjectIdentifier: (pin: HeldPIN, act: PINAct)] = [:]
    private var stored: [String: PINAct] = [:]
    private var requests: [Int: String] = [:]
    private var last = 0
    private var quiet = 0
    /// When surveys have shown a card: in the order of all that happened.
    private var shown: [CardWitness.Key: (began: Int, ended: Int)] = [:]
    private var out: [Int: Int] = [:]
    let folder: String

    init(seed: UInt64, folder: String, loop: JobLoop) {
        self.loop = loop
        self.folder = folder
        var dice = SeededDice(seed: seed)
        let kinds = dice.one(of: [1, 1, 2, 3])
        cards = (1...kinds).map { number in
            let isSoft = dice.happens(200)
            return ScriptedCard(
                number: number, pin: Array("right\(number)".utf8), tries: isSoft ? nil : 3,
                showsCount: dice.happens(600), hasKeypad: dice.happens(250), alwaysAuthenticates: dice.happens(250))
        }
        modules = (1...dice.one(of: [1, 1, 1, 2, 2, 3])).map { number in
            var shows = Set((1...kinds).filter { _ in dice.happens(800) })
            if shows.isEmpty { shows = [1] }
            return ScriptedModule(path: "/model/module\(number).so", shows: shows)
        }
        life = AgentLife(number: 0, files: "\(folder)/0", time: time, loop: loop)
        self.dice = dice
    }

    // MARK: The agent

    /// The agent that runs.
    var tokens: Tokens {
        guard let running else { preconditionFailure("no agent has been started") }
        return running
    }

    func start() {
        let files = life.files
        life = AgentLife(number: life.number + 1, files: "\(folder)/\(life.number + 1)", time: time, loop: loop)
        for name in ["refused-pins", "locked"] where unsafe access("\(files).\(name)", F_OK) == 0 {
            unsafe link("\(files).\(name)", "\(life.files).\(name)")
        }
        var setting = Tokens.Setting(
            workerExecutable: "", keeperExecutable: "", watcherExecutable: "", runtimeFiles: life.files)
        let life = life
        setting.workers = WorkerStart(
            identity: { ModuleFile.Identity($0) }, stamp: { StoredPINStamp($0) }, look: { $0() },
            start: { _ in
                self.last += 1
                let worker = ScriptedWorker(number: self.last, life: life, world: self)
                self.workers.append(worker)
                return worker
            })
        setting.pinentry = {
            let person = ScriptedPerson(life: life, world: self)
            self.people.append(person)
            return person
        }
        let tokens = Tokens(
            configuration, setting: setting, clock: life.clock,
            log: Logger(label: "model", factory: { _ in SwiftLogNoOpLogHandler() }))
        running = tokens
        Task { for await _ in tokens.changes {} }  // end with `stop`
        Task {
            for await removed in tokens.removals {
                if !life.isOver { note(removed: removed) }
                await tokens.forget(removed: removed)
            }
        }
    }

    /// SIGKILL: what it was about to do is not done, or was done by the card without its knowledge.
    func kill() {
        witness.forgetLocks()
        life.end()
        for worker in workers { worker.kill(.stopped) }
        for person in people { person.end() }
        witness.kill(life.number, quiet: quiet)
        requests = [:]
        bury()
    }

    /// SIGTERM
    func stop() {
        let tokens = tokens
        request("stop") { await tokens.stop() }
        pass(20_000)
        judgeRequests()
        kill()
    }

    private func bury() {
        let tokens = tokens
        start()
        Task { await tokens.stop() }
        settle()
        workers = workers.filter { $0.life === life }
        people = people.filter { $0.life === life }
        shown = [:]
    }

    private var configuration: Tokens.Configuration {
        Tokens.Configuration(
            modules: configured, rules: rules.sorted { $0.key < $1.key }.map(\.value.rule),
            prompt: PromptSettings(program: "/bin/true", timeoutSeconds: 40, notify: false))
    }

    func configure(modules: [ScriptedModule], rules: [Int: CardRule]) -> Tokens.Configuration {
        rulesBefore = (self.rules, time.boot + 300_000)
        self.rules = rules
        configured = modules.map { ModuleConfiguration(location: .path($0.path)) }
        for key in shown.keys where !modules.contains(where: { $0.path == key.module }) { shown[key] = nil }
        return configuration
    }

    // MARK: Time

    /// Runs what is ready.
    func settle() {
        _ = loop.run(most: 200_000)
        if !loop.isIdle { witness.violate(.spins, "at \(time.boot)") }
        quiet = witness.tick()
    }

    /// Runs some of what is ready.
    func run(_ jobs: Int) {
        _ = loop.run(most: jobs)
        if loop.isIdle { quiet = witness.tick() }
    }

    func pass(_ milliseconds: Int64) {
        let limit = time.boot + milliseconds
        settle()
        while witness.violations.isEmpty, time.step(to: limit) {
            settle()
            judgeLogins()
        }
    }

    private func judgeLogins() {
        guard cards.contains(where: { !$0.logins.isEmpty }) else { return }
        for worker in workers {
            guard !worker.hasEnded, let module = worker.module else { continue }
            for card in cards {
                witness.judgeLogins(
                    of: card, on: module.path, isLoggedIn: card.logins[worker.number] != nil, at: time.boot)
            }
        }
    }

    // MARK: Requests

    func request(_ name: String, _ body: @escaping @Sendable () async throws -> Void) {
        last += 1
        let id = last
        requests[id] = name
        witness.write("\(time.boot) \(name) \(id)")
        Task {
            do {
                try await body()
                witness.write("\(time.boot) \(name) \(id) done")
            } catch {
                witness.write("\(time.boot) \(name) \(id): \(error)")
            }
            requests[id] = nil
        }
    }

    func judgeRequests() {
        for (_, name) in requests.sorted(by: { $0.key < $1.key }) { witness.violate(.hangs, name) }
    }

    // MARK: PINs

    func act(_ kind: PINAct.Kind, _ card: ScriptedCard, _ pin: [UInt8]) -> PINAct {
        PINAct(kind, card: card.number, pin: pin, began: witness.tick())
    }

    func held(_ act: PINAct) -> HeldPIN? {
        guard
            let pin = unsafe try? PIN(fill: { (room) throws(PINError) in
                for (index, byte) in act.pin.enumerated() { unsafe room[index] = byte }
                return act.pin.count
            })
        else { return nil }
        let held = HeldPIN(pin, isFromLogin: act.kind == .handedOver)
        acts[ObjectIdentifier(held)] = (held, act)
        return held
    }

    func act(of pin: HeldPIN) -> PINAct? { acts[ObjectIdentifier(pin)]?.act }

    func typeOnKeypad(of card: ScriptedCard) -> PINAct {
        act(.keypad, card, dice.happens(700) ? card.pin : wrongPIN())
    }

    func wrongPIN() -> [UInt8] { Array("wrong\(dice.roll(1...3))".utf8) }

    func path(of card: ScriptedCard) -> String { "\(folder)/pin-\(card.number)" }

    func storedPIN(at path: String) -> PINAct? { stored[path] }

    /// Writes a PIN file as an editor does: a new file in the place of the old one.
    func store(_ pin: [UInt8]?, for card: ScriptedCard) {
        let path = path(of: card)
        guard let pin else {
            stored[path] = nil
            unsafe unlink(path)
            return
        }
        stored[path] = act(.stored, card, pin)
        last += 1
        // A second name keeps the inode from being another file's.
        let version = "\(path).\(last)"
        close(unsafe open(version, O_CREAT | O_WRONLY, 0o600))
        unsafe unlink(path)
        unsafe link(version, path)
    }

    /// The rule for a card, and the one module that it names, if it names one.
    struct CardRule {
        var rule: TokenRule
        var module: String?

        func concerns(_ path: String?) -> Bool { module == nil || module == path }
    }

    func rule(of card: ScriptedCard, on module: String?) -> TokenRule? {
        rules[card.number].flatMap { $0.concerns(module) ? $0.rule : nil }
    }

    /// Whether the card's PIN is stored, by the rule in force and by the one that the login may have begun under.
    func hasStoredRule(_ card: ScriptedCard, on module: String?) -> Bool {
        let before = rulesBefore.rules[card.number].map { $0.concerns(module) && $0.rule.pinSource.isStored } ?? false
        return rule(of: card, on: module)?.pinSource.isStored == true && (time.boot >= rulesBefore.until || before)
    }

    /// How long a PIN lasts by the rule in force, in milliseconds, and by the one before it if the login may have begun
    /// under that.
    func lifetimes(of act: PINAct, _ card: ScriptedCard, on module: String?) -> Set<Int64> {
        guard act.kind != .stored else { return [] }
        let time = { (rules: [Int: CardRule]) -> Int64 in
            guard let rule = rules[card.number], rule.concerns(module) else { return 28_800_000 }
            return Int64(rule.rule.pinLifetimeSeconds) * 1000
        }
        return self.time.boot < rulesBefore.until ? [time(rules), time(rulesBefore.rules)] : [time(rules)]
    }

    // MARK: What is seen

    func survey(_ tokens: Tokens) async -> Survey {
        let began = witness.tick()
        let survey = await tokens.survey()
        for token in survey.tokens {
            guard let key = Self.key(token.key), lastOut(key) < began else { continue }
            shown[key] = (began, witness.tick())
        }
        return survey
    }

    func takeOut(_ card: ScriptedCard) {
        card.slot = nil
        card.loseLogins()
        out[card.number] = witness.tick()
    }

    func insert(_ card: ScriptedCard) {
        guard card.slot == nil else { return }
        last += 1
        card.slot = UInt64(last)
        out[card.number] = witness.tick()
    }

    private func lastOut(_ key: CardWitness.Key) -> Int {
        let module = modules.first { $0.path == key.module }
        if module?.isEmpty == true || module?.reloads != 0
            || cards.contains(where: { $0.number == key.card && $0.slot == nil })
        {
            return .max
        }
        return max(out[key.card] ?? 0, module?.lied ?? 0)
    }

    private func note(removed: some Sequence<TokenKey>) {
        for key in removed.compactMap(Self.key) {
            guard let seen = shown[key], seen.ended <= quiet, lastOut(key) < seen.began else { continue }
            witness.violate(.removal, "card \(key.card) of \(key.module) at \(time.boot)")
        }
    }

    static func key(_ key: TokenKey) -> CardWitness.Key? {
        Int(String(decoding: key.token.serial, as: UTF8.self)).map { .init(module: key.module.path, card: $0) }
    }
}

/// A person at a prompt.
final class ScriptedPerson: Pinentry, @unchecked Sendable {  // used by one thread
    let life: AgentLife
    private let world: PINWorld
    private var continuation: CheckedContinuation<PromptAnswer, Never>?
    private var alarm = 0
    private var isEnded = false

    init(life: AgentLife, world: PINWorld) {
        self.life = life
        self.world = world
    }

    func ask(
        _ question: PromptQuestion, at place: PromptPlace, program: String, home: String?, seconds: Int,
        clock: AgentClock
    ) async -> PromptAnswer {
        let meant = world.cards.first { question.description.contains("card\($0.number)") }
        guard !life.isOver, !isEnded, let card = meant else { return .declined(.cancelled) }
        let began = world.witness.tick()
        return await withCheckedContinuation { continuation in
            self.continuation = continuation
            let time = world.dice.roll(200...60_000)
            let limit = Int64(seconds) * 1000
            alarm = world.time.after(min(time, limit)) { [self] in
                finish(time > limit ? .declined(.timedOut(seconds: seconds)) : answer(card, began))
            }
        }
    }

    func end() {
        isEnded = true
        world.time.cancel(alarm)
        finish(.declined(.cancelled))
    }

    private func answer(_ card: ScriptedCard, _ began: Int) -> PromptAnswer {
        let pin: [UInt8]
        switch world.dice.roll(0...9) {
        case 0: return .declined(.cancelled)
        case 1: return .declined(.empty)
        case 2...4: pin = world.wrongPIN()
        default: pin = card.pin
        }
        let act = PINAct(.typed, card: card.number, pin: pin, began: began)
        return world.held(act).map { .pin($0) } ?? .failed("no memory is left")
    }

    private func finish(_ answer: PromptAnswer) {
        guard let continuation = continuation else { return }
        self.continuation = nil
        continuation.resume(returning: answer)
    }
}
