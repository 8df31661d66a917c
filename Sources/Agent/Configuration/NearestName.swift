/// The known name that `name` was probably meant to be: a part of it, or a few slips of the finger away.
package func nearestName(to name: String, among known: [String]) -> String? {
    let typed = Array(name.utf8)
    guard (1...64).contains(typed.count) else { return nil }
    let allowed = max(2, typed.count / 3)
    return known.map { ($0, distance(typed, Array($0.utf8))) }.filter { $0.1 <= allowed }.min { $0.1 < $1.1 }?.0
}

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours. The start or the end of a
/// longer name, such as `role` of `role-arn`, counts as one slip.
private func distance(_ typed: [UInt8], _ known: [UInt8]) -> Int {
    if typed.count >= 4, known.starts(with: typed) || known.reversed().starts(with: typed.reversed()) {
        return typed == known ? 0 : 1
    }
    var beforeLast: [Int] = []
    var last = Array(0...known.count)
    for (row, byte) in typed.enumerated() {
        var current = [row + 1]
        for (column, other) in known.enumerated() {
            var best = min(last[column + 1] + 1, current[column] + 1, last[column] + (byte == other ? 0 : 1))
            if row > 0, column > 0, byte == known[column - 1], typed[row - 1] == other {
                best = min(best, beforeLast[column - 1] + 1)
            }
            current.append(best)
        }
        (beforeLast, last) = (last, current)
    }
    return last[known.count]
}
