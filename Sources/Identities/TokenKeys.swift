import PKCS11URI
import TokenService
import X509

/// The keys of one token, put in order once for all of its certificates.
///
/// A pair has the same CKA_ID and no public key that contradicts it. Where one of the two has no CKA_ID, it takes equal
/// public keys. A private key that does not show its public half, as EC keys often do not, is linked to the public key
/// with its label; where none has that label, to the public keys with its CKA_ID. Of several private keys that could be
/// meant none is taken. Nothing is ever signed to find out: on some tokens that costs a touch.
struct TokenKeys {
    /// The most private keys, and public ones, of one CKA_ID that are compared: each certificate looks at all of them.
    static let maximumPerID = 64

    private let hidesObjects: Bool
    private let meant: PKCS11URI?
    private var groups: [[UInt8]: Group] = [:]
    /// Those that show their public half.
    private var shownKeys: [PublicKeyValue: [PrivateKey]] = [:]
    /// The CKA_IDs of the keys that show a public half or are linked to it.
    private var ids: [PublicKeyValue: Set<[UInt8]>] = [:]
    /// Of the private keys that the URI names, where it names keys.
    private var namedIDs: Set<[UInt8]> = []
    private var namedCount = 0
    private var answers: [Question: Pairing] = [:]

    private struct Question: Hashable {
        let key: PublicKey
        let id: [UInt8]
    }

    /// - Parameter meant: Which private keys count; nil: all.
    init(_ token: TokenSnapshot, meant: PKCS11URI? = nil) {
        hidesObjects = token.hidesObjects
        self.meant = meant
        for key in token.keys {
            let value = key.publicHalf.value
            groups[key.id, default: Group()].add(key, value)
            if let value { ids[value, default: []].insert(key.id) }
            guard key.keyClass == .privateKey else { continue }
            if let value { shownKeys[value, default: []].append(PrivateKey(key, .own)) }
            guard namesKey, isMeant(key) else { continue }
            namedIDs.insert(key.id)
            namedCount += 1
        }
        linkSilentKeys(PublicKeyLabels(token.keys))
    }

    /// The private key of a certificate with this public key and this CKA_ID, which is empty for one in a file.
    mutating func pairing(of key: PublicKey, id: [UInt8]) -> Pairing {
        // A key that is named is meant whatever its CKA_ID.
        let question = Question(key: key, id: namesKey ? meant?.id ?? [] : id)
        if let answer = answers[question] { return answer }
        let answer = answer(to: question)
        answers[question] = answer
        return answer
    }

    private var namesKey: Bool { meant?.object != nil || meant?.id != nil }

    private func isMeant(_ key: KeyObject) -> Bool {
        meant?.matchesObject(label: key.label, id: key.id, type: .privateKey) ?? true
    }

    private mutating func linkSilentKeys(_ labels: PublicKeyLabels) {
        for (id, group) in groups {
            for index in group.silentKeys.indices {
                let key = group.silentKeys[index].object
                let labelled = labels.values(for: key)
                // Without a CKA_ID, and without a label that links them, a pair has to be the only one.
                let fallback = id.isEmpty && group.privateCount > 1 ? [] : group.publicValues
                let values = labelled.isEmpty ? fallback : labelled
                let isOnlyPair = group.privateCount == 1 && values.count == 1
                groups[id]?.silentKeys[index].values = values
                groups[id]?.silentKeys[index].link =
                    values.isEmpty ? .none : !labelled.isEmpty ? .label : isOnlyPair ? .onlyPair : .id
                for value in values { ids[value, default: []].insert(id) }
            }
        }
    }

    private func answer(to question: Question) -> Pairing {
        let values = Set(question.key.values)
        let holders = values.reduce(into: Set()) { $0.formUnion(ids[$1] ?? []) }
        let related = (question.id.isEmpty ? holders : [question.id]).union([[]]).union(namedIDs)
        let isCrowded = related.count > Self.maximumPerID || related.contains { groups[$0]?.isCrowded == true }
        let candidates = candidates(for: question, values, related)
        let signing = candidates.filter(\.object.canSign)
        if let best = signing.map(\.link).min() {
            let equals = signing.filter { $0.link == best }
            let chosen = equals.min { $0.isBefore($1, for: question.id) } ?? equals[0]
            // Keys that show one public half are one key, and so are those that have each a link of their own to it.
            let rivals = candidates.filter { $0.link == best && (best > .onlyPair || $0.hasName(of: chosen)) }
            guard best == .own || rivals.count(where: \.object.canSign) == 1 else { return .none(.ambiguousKey) }
            return .seen(chosen.object, isConfirmed: best <= .onlyPair && (best == .own || rivals.count == 1))
        }
        if !candidates.isEmpty { return .none(.keyCannotSign) }
        if isCrowded { return .none(.tooManyKeys) }
        if hidesObjects, let half = publicHalf(for: question, values, related) { return half }
        if isContradicted(question, values) {
            return .none(meant?.object == nil ? .differentKey : .namedKeyDiffers)
        }
        if hidesObjects { return .hidden }
        let isElsewhere = holders.contains { id in
            groups[id]?.silentKeys.contains { !$0.values.isDisjoint(with: values) } == true
        }
        return .none(isElsewhere || values.contains { shownKeys[$0] != nil } ? .differentID : .noKey)
    }

    /// The private keys that are the certificate's, or could be.
    private func candidates(
        for question: Question, _ values: Set<PublicKeyValue>, _ related: Set<[UInt8]>
    ) -> [PrivateKey] {
        let shown = question.key.values.flatMap { shownKeys[$0]?.prefix(Self.maximumPerID) ?? [] }
            .filter { related.contains($0.object.id) }
        let compared = related.count <= Self.maximumPerID ? related : []
        let silent = compared.flatMap { groups[$0]?.silentKeys ?? [] }.filter { key in
            guard key.object.publicHalf.canBe(question.key) else { return false }
            guard key.values.isEmpty else { return !key.values.isDisjoint(with: values) }
            // Nothing is known of it but its name.
            return !key.object.id.isEmpty && key.object.id == question.id || namesKey && namedCount == 1
        }
        return (shown + silent).filter { isMeant($0.object) }
    }

    /// The public key object that stands for a private key which is not shown yet.
    private func publicHalf(
        for question: Question, _ values: Set<PublicKeyValue>, _ related: Set<[UInt8]>
    ) -> Pairing? {
        let halves = publicKeys(in: related)
        if let half = halves.first(where: { $0.publicHalf.value.map(values.contains) ?? false }) {
            return .publicHalf(half, isConfirmed: true)
        }
        let silent = halves.first { half in
            !half.id.isEmpty && half.id == question.id && half.publicHalf.compared(with: question.key) == .unknown
        }
        return silent.map { .publicHalf($0, isConfirmed: false) }
    }

    /// The public keys of these CKA_IDs, or of them those that have the label of the private key that is named.
    private func publicKeys(in related: Set<[UInt8]>) -> [KeyObject] {
        let halves = related.sorted { $0.lexicographicallyPrecedes($1) }.prefix(Self.maximumPerID)
            .flatMap { groups[$0]?.publicKeys ?? [] }
        guard let label = meant?.object else { return halves }
        let labelled = halves.filter { $0.label == label }
        return labelled.isEmpty ? halves : labelled
    }

    /// Whether a key that should be the certificate's has another public half.
    private func isContradicted(_ question: Question, _ values: Set<PublicKeyValue>) -> Bool {
        if namedCount > 0 { return true }
        guard !question.id.isEmpty, let group = groups[question.id] else { return false }
        return group.privateCount > 0
            || publicKeys(in: [question.id]).contains { $0.publicHalf.compared(with: question.key) == .different }
    }
}

/// The evidence that a private key has a public half, the surest first.
private enum Link: Int, Comparable {
    /// It shows it.
    case own
    case label
    /// They are the only two of their CKA_ID.
    case onlyPair
    case id
    /// Nothing is known of its public half.
    case none

    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

private struct PrivateKey {
    let object: KeyObject
    var link: Link
    /// The public halves that it could have, of those that do not show theirs.
    var values: Set<PublicKeyValue> = []

    init(_ object: KeyObject, _ link: Link) {
        self.object = object
        self.link = link
    }

    func hasName(of other: PrivateKey) -> Bool { object.id == other.object.id && object.label == other.object.label }

    /// The order among keys that are as good as each other: that with the CKA_ID first, and then the same each time.
    func isBefore(_ other: PrivateKey, for id: [UInt8]) -> Bool {
        let (mine, others) = (object, other.object)
        if mine.id != others.id {
            return mine.id == id || others.id != id && mine.id.lexicographicallyPrecedes(others.id)
        }
        return mine.label.lexicographicallyPrecedes(others.label)
    }
}

/// The keys of one CKA_ID.
private struct Group {
    var silentKeys: [PrivateKey] = []
    private(set) var privateCount = 0
    private(set) var publicKeys: [KeyObject] = []
    private(set) var publicValues: Set<PublicKeyValue> = []
    private(set) var isCrowded = false

    mutating func add(_ key: KeyObject, _ value: PublicKeyValue?) {
        if key.keyClass == .privateKey {
            privateCount += 1
            guard value == nil else { return }
            guard silentKeys.count < TokenKeys.maximumPerID else { return isCrowded = true }
            silentKeys.append(PrivateKey(key, .none))
        } else {
            guard publicKeys.count < TokenKeys.maximumPerID else { return isCrowded = true }
            publicKeys.append(key)
            if let value { publicValues.insert(value) }
        }
    }
}

/// Public keys by their labels.
private struct PublicKeyLabels {
    private struct Name: Hashable {
        let label: [UInt8]
        /// Nil: of whatever CKA_ID.
        let id: [UInt8]?
    }
    private var values: [Name: Set<PublicKeyValue>] = [:]

    init(_ keys: [KeyObject]) {
        for key in keys where key.keyClass == .publicKey && !key.label.isEmpty {
            guard let value = key.publicHalf.value else { continue }
            for name in [Name(label: key.label, id: key.id), Name(label: key.label, id: nil)] {
                guard values[name, default: []].count <= TokenKeys.maximumPerID else { continue }
                values[name, default: []].insert(value)
            }
        }
    }

    /// The public halves with the label of this private key, under its CKA_ID or where one of the two has none. None
    /// where there are more than are compared.
    func values(for key: KeyObject) -> Set<PublicKeyValue> {
        guard !key.label.isEmpty else { return [] }
        let name = Name(label: key.label, id: key.id.isEmpty ? nil : key.id)
        let found = (values[name] ?? []).union(values[Name(label: key.label, id: [])] ?? [])
        return found.count <= TokenKeys.maximumPerID ? found : []
    }
}

/// The result of looking for a certificate's private key among a token's objects.
enum Pairing: Hashable {
    case seen(KeyObject, isConfirmed: Bool)
    /// The private key needs a login, its public half is here.
    case publicHalf(KeyObject, isConfirmed: Bool)
    /// Keys are shown after a login.
    case hidden
    /// Why there is none: one of the reasons about keys.
    case none(DropReason)
}
