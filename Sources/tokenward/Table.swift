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
        return table.split(separator: "\n").allSatisfy { PlainText.columns(of: $0.unicodeScalars) <= columns }
            ? table : blocks
    }

    /// In columns under their names.
    private var aligned: String {
        let lines = [header] + rows
        let widths = header.indices.map { column in
            lines.map { PlainText.columns(of: $0[column].unicodeScalars) }.max() ?? 0
        }
        return lines.map { cells in
            let padded = zip(cells, widths).map { cell, width in
                cell + String(repeating: " ", count: width - PlainText.columns(of: cell.unicodeScalars))
            }
            // Without the spaces at the end.
            return String(padded.joined(separator: "  ").reversed().drop { $0 == " " }.reversed()) + "\n"
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
    func separated(prefix: [String] = []) -> String {
        rows.map { row in (prefix + row).joined(separator: "\t") + "\n" }.joined()
    }

    /// For the eyes on a terminal, for programs elsewhere.
    func print() throws(ClientFailure) {
        try Voice.result(Voice.isTerminal ? shown(in: Voice.columns) : separated())
    }
}
