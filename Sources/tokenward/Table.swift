import AgentClient
import PlainText

/// Rows for a person to read or a program to split.
struct Table {
    let header: [String]
    private var rows: [[String]] = []

    init(_ header: String...) { self.header = header }

    var isEmpty: Bool { rows.isEmpty }

    mutating func append(_ cells: String...) {
        rows.append(cells.map(PlainText.terminal))
    }

    /// For a terminal: a table where it fits into its columns, else one block of lines for each row.
    func shown(in columns: Int) -> String {
        let table = aligned
        return table.split(separator: "\n").allSatisfy { Self.width(String($0)) <= columns } ? table : blocks
    }

    /// In columns under their names.
    private var aligned: String {
        let lines = [header] + rows
        let widths = header.indices.map { column in lines.map { Self.width($0[column]) }.max() ?? 0 }
        return lines.map { cells in
            let padded = zip(cells, widths).map { cell, width in
                cell + String(repeating: " ", count: width - Self.width(cell))
            }
            return padded.joined(separator: "  ").trimmingTrailingSpaces + "\n"
        }.joined()
    }

    /// A line for each cell that is not empty, after its column's name.
    private var blocks: String {
        let width = header.map(\.count).max() ?? 0
        return rows.map { row in
            zip(header, row).filter { !$1.isEmpty }.map { name, cell in
                name + String(repeating: " ", count: width - name.count + 2) + cell + "\n"
            }.joined()
        }.joined(separator: "\n")
    }

    /// One line per row and a tab between cells, no header: what `cut` and `awk` expect.
    func separated(prefix: String? = nil) -> String {
        rows.map { row in ((prefix.map { [$0] } ?? []) + row).joined(separator: "\t") + "\n" }.joined()
    }

    /// For the eyes on a terminal, for programs elsewhere.
    func print() throws(ClientFailure) {
        try Voice.result(Voice.isTerminal ? shown(in: Voice.columns) : separated())
    }

    /// How many columns of a terminal `text` takes: East Asian wide characters take two (UAX #11), accents none.
    private static func width(_ text: String) -> Int {
        text.unicodeScalars.reduce(0) { sum, scalar in
            switch scalar.value {
            case 0x0300...0x036F: sum
            case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
                0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
                sum + 2
            default: sum + 1
            }
        }
    }
}

extension String {
    fileprivate var trimmingTrailingSpaces: String {
        var text = Substring(self)
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
