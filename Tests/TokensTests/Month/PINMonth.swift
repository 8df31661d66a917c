import AgentAPI
import Foundation
import PKCS11URI
import Prompts
import SignatureSchemes
import TokenService

@testable import Tokens

/// A month: what happens, in which order, and how long nothing does between two events. Time in which nothing happens
/// costs nothing, so that a month is as long as its events are many.
struct PINMonth: Sendable {
    let seed: UInt64
    var events: [Event]

    struct Event: Sendable {
        enum Kind: CaseIterable, Sendable {
            /// What people and programs ask the agent for.
            case list, sign, signAtOnce, unlock, unlockStored, handOver, lockAll, lockCard, beginEvent, endEvent, poll
            /// What is done to cards, by hand or by the vendor's tool.
            case pull, insert, swap, vendorLogin, vendorMiss, vendorChange
            /// What happens to the agent, and to what it stands on.
            case suspend, reload, store, kill, stop, killWorker
            /// A module fails more or less often, or shows nothing for a while.
            case mood, empty
            case rest
        }
        let kind: Kind
        /// Of all that is left to chance in it and until the next.
        let seed: UInt64
    }

    /// How often each kind of event comes.
    private static let shares: [(Event.Kind, Int64)] = [
        (.list, 40), (.sign, 200), (.signAtOnce, 80), (.unlock, 160), (.unlockStored, 50), (.handOver, 50),
        (.lockAll, 20), (.lockCard, 30), (.beginEvent, 20), (.endEvent, 40), (.suspend, 25), (.pull, 30), (.insert, 60),
        (.swap, 15), (.vendorLogin, 25), (.vendorMiss, 25), (.vendorChange, 20), (.reload, 40), (.store, 50),
        (.kill, 40), (.stop, 10), (.killWorker, 20), (.poll, 25), (.mood, 30), (.empty, 15), (.rest, 50),
    ]
    private static let kinds = shares.flatMap { kind, share in [Event.Kind](repeating: kind, count: Int(share)) }

    init(seed: UInt64, length: Int) {
        self.seed = seed
        var dice = SeededDice(seed: seed ^ 0x5EED)
        events = (0..<length).map { _ in Event(kind: dice.one(of: Self.kinds), seed: dice.next()) }
    }

    /// These events, with the rest left to chance.
    init(seed: UInt64, _ kinds: [Event.Kind]) {
        self.seed = seed
        var dice = SeededDice(seed: seed ^ 0x5EED)
        events = kinds.map { Event(kind: $0, seed: dice.next()) }
    }

    /// Lives through it.
    func run(withDiary: Bool = false) -> CardWitness {
        let folder = "\(FileManager.default.temporaryDirectory.path)/tokenward-month-\(UUID().uuidString)"
        unsafe mkdir(folder, 0o700)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let loop = JobLoop(dice: SeededDice(seed: seed))
        return loop.whileCurrent {
            let witness = live(in: folder, loop, withDiary: withDiary)
            _ = loop.run(most: 10_000)  // what the end of the world has let go
            return witness
        }
    }

    private func live(in folder: String, _ loop: JobLoop, withDiary: Bool) -> CardWitness {
        let world = PINWorld(seed: seed, folder: folder, loop: loop)
        if withDiary { world.witness.diary = [] }
        world.prepare()
        for event in events where world.witness.violations.isEmpty {
            world.dice = SeededDice(seed: event.seed)
            world.happen(event.kind)
            world.wait()
        }
        world.finish()
        return world.witness
    }

    /// The shortest month that breaks a rule by leaving out one event after the other, and its diary.
    ///
    /// Where hashing is not fixed a month is not the same again, so that it is lived through several times.
    func shrunk(breaking rule: CardWitness.Rule) -> (month: PINMonth, witness: CardWitness) {
        var best = self
        var witness = run(withDiary: true)
        for _ in 0..<30 where witness.violations.first?.rule != rule { witness = run(withDiary: true) }
        guard witness.violations.first?.rule == rule else { return (self, witness) }
        var index = 0
        while index < best.events.count {
            var shorter = best
            shorter.events.remove(at: index)
            let seen = shorter.run(withDiary: true)
            if seen.violations.first?.rule == rule { (best, witness) = (shorter, seen) } else { index += 1 }
        }
        return (best, witness)
    }
}

extension PINWorld {
    func prepare() {
        for card in cards { store(dice.happens(700) ? card.pin : wrongPIN(), for: card) }
        for module in modules { module.faults = dice.one(of: [0, 0, 0, 60, 200]) }
        _ = configure(modules: modules, rules: anyRules())
        start()
    }

    func finish() {
        endEvents(LockEvent.allCases)
        for module in modules {
            module.faults = 0
            module.isEmpty = false
        }
        if witness.violations.isEmpty {
            pass(300_000)
            if witness.violations.isEmpty { judgeRequests() }
        }
        kill()
        kill()  // the one that was started in its place
        settle()
    }

    /// Lets some of what the event began be done, or all of it, and then some time pass.
    func wait() {
        if dice.happens(300) { return run(Int(dice.roll(0...80))) }
        switch dice.roll(0...9) {
        case 0...3: pass(dice.roll(0...200))
        case 4...6: pass(dice.roll(0...5000))
        case 7...8: pass(dice.roll(0...100_000))
        default: pass(dice.roll(0...1_200_000))
        }
    }

    private func anyRules() -> [Int: CardRule] {
        var rules: [Int: CardRule] = [:]
        for card in cards {
            let source: TokenRule.PINSource
            switch dice.roll(0...9) {
            case 0...3: source = .prompt
            case 4...7: source = .file(path(of: card))
            case 8: source = .protected
            default: continue
            }
            let module = dice.happens(600) ? dice.one(of: modules(showing: card)).path : nil
            let query = module.map { "?module-path=\($0)" } ?? ""
            guard let uri = try? PKCS11URI("pkcs11:token=card\(card.number)\(query)") else { continue }
            rules[card.number] = CardRule(
                rule: TokenRule(
                    uri: uri, pinSource: source, pinLifetimeSeconds: Int(dice.one(of: [0, 60, 300, 600])),
                    touch: dice.happens(200)), module: module)
        }
        return rules
    }

    private func modules(showing card: ScriptedCard) -> [ScriptedModule] {
        let showing = modules.filter { $0.shows.contains(card.number) }
        return showing.isEmpty ? modules : showing
    }

    private var asking: Asking? {
        Asking(
            uid: 1, agentUID: 1, processID: .max, header: Array("TTY=/dev/pts/0".utf8), isExplicit: dice.happens(300))
    }

    func happen(_ kind: PINMonth.Event.Kind) {
        let card = dice.one(of: cards)
        let module = dice.one(of: modules(showing: card))
        let tokens = tokens
        witness.write("\(time.boot) --- \(kind) card\(card.number) \(module.path)")
        switch kind {
        case .list: request("list") { _ = await self.survey(tokens) }
        case .sign: sign(card, on: module)
        case .signAtOnce: for _ in 0..<dice.roll(2...5) { sign(card, on: module) }
        case .unlock: unlock(card, on: module, act(.typed, card, dice.happens(700) ? card.pin : wrongPIN()))
        case .unlockStored: unlock(card, on: module, nil)
        case .handOver: unlock(card, on: module, act(.handedOver, card, dice.happens(400) ? card.pin : wrongPIN()))
        case .lockAll:
            request("lock") { [witness, life] in
                let lock = witness.beginLock(nil, isEvent: false)
                await tokens.changeLocks { $0.lockAll() }
                await tokens.endLogins()
                self.endLock(lock, of: life)
                try await tokens.keepLocks()
            }
        case .lockCard: lock(card)
        case .beginEvent:
            let event = dice.one(of: [LockEvent.suspend, .screenLock])
            request("event") { [witness, life] in
                let told = witness.tick()
                guard await tokens.changeLocks({ $0.begin(event) }) else { return }
                // What was asked for since then may have come after the lock.
                let lock = witness.beginLock(nil, isEvent: true, asked: told)
                await tokens.endLogins()
                self.endLock(lock, of: life)
            }
        case .endEvent: endEvents([dice.one(of: [LockEvent.suspend, .screenLock])])
        case .suspend: time.sleep(dice.roll(3000...3_600_000))
        case .pull: takeOut(card)
        case .insert: insert(card)
        case .swap:
            takeOut(card)
            insert(dice.one(of: cards))
        case .vendorLogin: _ = card.slot == nil ? .blocked : card.enter(card.pin)
        case .vendorMiss: if card.slot != nil, card.triesLeft > 1 { _ = card.enter(Array("vendor".utf8)) }
        case .vendorChange: card.reset(to: Array("right\(card.number)\(dice.roll(0...9))".utf8))
        case .reload:
            let kept = modules.filter { _ in dice.happens(800) }
            let new = configure(modules: kept.isEmpty ? modules : kept, rules: anyRules())
            let dropped = modules.filter { module in !kept.isEmpty && !kept.contains { $0 === module } }
            for module in dropped { module.reloads += 1 }
            request("reload") { [witness] in
                await tokens.replace(with: new)
                for module in dropped {
                    module.reloads -= 1
                    module.lied = witness.tick()
                }
            }
        case .store: store(dice.happens(50) ? nil : dice.happens(500) ? card.pin : wrongPIN(), for: card)
        case .kill: kill()
        case .stop: stop()
        case .killWorker:
            let running = workers.filter { !$0.hasEnded }
            if !running.isEmpty { dice.one(of: running).kill(.killed) }
        case .poll:
            let isWaitedFor = dice.happens(500)
            request("poll") { await tokens.poll(isWaitedFor: isWaitedFor, used: []) }
        case .mood: module.faults = dice.one(of: [0, 0, 50, 200, 400])
        case .empty: module.isEmpty.toggle()
        case .rest: pass(dice.roll(0...1_800_000))
        }
    }

    private func sign(_ card: ScriptedCard, on module: ScriptedModule) {
        let tokens = tokens
        let purpose = dice.happens(700) ? LoginPurpose(asking) : nil
        let flow = SigningFlow(users: [UInt32(dice.roll(1...3))], groups: [])
        if purpose?.asking.isExplicit == true { witness.noteWord(on: card.number) }
        request("sign") {
            let seen = await self.survey(tokens).tokens.filter { $0.key.token == card.token }
            guard let token = seen.first(where: { $0.module.path == module.path }) else { return }
            try await tokens.logIn(to: token, for: purpose)
            _ = try await tokens.sign(
                SignRequest(
                    token: TokenReference(slotID: token.snapshot.slotID, token: card.token), keyID: [1],
                    publicHalf: nil, scheme: SignatureScheme(.ecdsa, .sha256), message: [1], digest: [1]),
                on: token, isAskedByName: purpose != nil, in: flow)
        }
    }

    private func endEvents(_ events: [LockEvent]) {
        let tokens = tokens
        request("end of event") { [witness] in
            for event in events where await tokens.changeLocks({ $0.end(event) }) { witness.endEvents() }
        }
    }

    private func unlock(_ card: ScriptedCard, on module: ScriptedModule, _ act: PINAct?) {
        let tokens = tokens
        let pin = act.flatMap { held($0) }
        let isFromLogin = act?.kind == .handedOver
        let names = dice.happens(850) ? "?module-path=\(module.path)" : ""
        guard let uri = try? PKCS11URI("pkcs11:token=card\(card.number)\(names)") else { return }
        let asking = dice.happens(500) ? asking : nil
        request("unlock") { [witness] in
            let moment = Locks.Moment()
            let began = witness.tick()
            let found = await self.survey(tokens).tokens.filter { uri.matches($0.located) }.map { $0.meant(by: uri) }
            guard pin == nil || found.count == 1 else { return }
            for token in found {
                guard let key = Self.key(token.key) else { continue }
                let unlock = witness.beginUnlock(key, isFromLogin: isFromLogin, began: began)
                do {
                    try await Asking.$current.withValue(asking) {
                        try await tokens.unlock(token, pin: pin, isFromLogin: isFromLogin, asOf: moment)
                    }
                    witness.endUnlock(unlock, hasFailed: false)
                } catch {
                    witness.endUnlock(unlock, hasFailed: true)
                }
            }
        }
    }

    /// A lock is answered, unless the agent has been killed meanwhile.
    private func endLock(_ lock: Int, of life: AgentLife) {
        if !life.isOver { witness.endLock(lock, at: time.boot) }
    }

    private func lock(_ card: ScriptedCard) {
        let tokens = tokens
        guard let uri = try? PKCS11URI("pkcs11:token=card\(card.number)") else { return }
        request("lock") { [witness, life] in
            let moment = Locks.Moment()
            let began = witness.tick()
            var known: Set<TokenKey> = []
            for isFirst in [true, false] {
                let keys =
                    isFirst
                    ? await tokens.known(matching: uri, used: [])
                    : Set(await self.survey(tokens).tokens.filter { uri.matches($0.located) }.map(\.key))
                let new = keys.subtracting(known)
                known = keys
                let lock = witness.beginLock(Set(new.compactMap(Self.key)), isEvent: false, asked: began)
                await tokens.endLogins(of: await tokens.changeLocks { $0.lock(new, asOf: moment) })
                self.endLock(lock, of: life)
            }
            try await tokens.keepLocks()
        }
    }
}
