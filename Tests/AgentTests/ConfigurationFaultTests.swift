import Testing

struct ConfigurationFaultTests {
    @Test("A file that is no TOML is refused with its line", arguments: syntax)
    func isNoTOML(_ row: FaultCase) throws {
        #expect(try ConfigurationFolder(row.text).faults() == row.faults)
    }

    static let syntax = [
        FaultCase("a", "config.toml:1: a key without =; write KEY = VALUE"),
        FaultCase("a =", "config.toml:1: a value is missing; give one, or remove the key"),
        FaultCase("\n\na = \n", "config.toml:3: a value is missing; give one, or remove the key"),
        FaultCase("a = # 1", "config.toml:1: a value is missing; give one, or remove the key"),
        FaultCase(
            "= 1", "config.toml:1: a key is missing; write it in letters, digits, - and _, or in quotation marks"),
        FaultCase(
            "a = b",
            "config.toml:1: a value that no setting takes; give text in quotation marks, an integer, true or false"),
        FaultCase("a = \"x", "config.toml:1: text without its closing quotation mark; add it"),
        FaultCase("a = 'x", "config.toml:1: text without its closing quotation mark; add it"),
        FaultCase("a = \"x\ny\"", "config.toml:1: text without its closing quotation mark; add it"),
        FaultCase(
            "a = \"x\\",
            "config.toml:1: an escape that TOML does not have; write \\\\ for a backslash, or use single quotation marks"
        ),
        FaultCase("\na = \"\"\"x\n\n", "config.toml:2: text without its closing quotation mark; add it"),
        FaultCase("a = '''x''\n", "config.toml:1: text without its closing quotation mark; add it"),
        FaultCase(
            "a = \"\\q\"",
            "config.toml:1: an escape that TOML does not have; write \\\\ for a backslash, or use single quotation marks"
        ),
        FaultCase(
            "a = \"\"\"x\n\\ y\"\"\"",
            "config.toml:2: an escape that TOML does not have; write \\\\ for a backslash, or use single quotation marks"
        ),
        FaultCase(
            "a = \"\\uD800\"",
            "config.toml:1: an escape that is no character; write \\u and 4 hexadecimal digits, or \\U and 8"),
        FaultCase(
            "a = \"\\u00\"",
            "config.toml:1: an escape that is no character; write \\u and 4 hexadecimal digits, or \\U and 8"),
        FaultCase(
            "a = \"\\U00110000\"",
            "config.toml:1: an escape that is no character; write \\u and 4 hexadecimal digits, or \\U and 8"),
        FaultCase("a = \"x\u{1}\"", "config.toml:1: a control character in text; remove it, or write it as an escape"),
        FaultCase("a = 'x\u{7F}'", "config.toml:1: a control character in text; remove it, or write it as an escape"),
        FaultCase(
            "a = \"\"\"\nx\ry\"\"\"", "config.toml:2: a control character in text; remove it, or write it as an escape"),
        FaultCase("a = 1 b = 2", "config.toml:1: more than one setting in a line; begin a new line"),
        FaultCase("a = \"x\" y", "config.toml:1: more than one setting in a line; begin a new line"),
        FaultCase("[a] b = 1", "config.toml:1: more than one setting in a line; begin a new line"),
        FaultCase("a = 1\rb = 1", "config.toml:1: more than one setting in a line; begin a new line"),
        FaultCase(
            "a = 01",
            "config.toml:1: a value that no setting takes; give text in quotation marks, an integer, true or false"),
        FaultCase(
            "a = 1__0",
            "config.toml:1: a value that no setting takes; give text in quotation marks, an integer, true or false"),
        FaultCase(
            "a = _1",
            "config.toml:1: a value that no setting takes; give text in quotation marks, an integer, true or false"),
        FaultCase(
            "a = 1_",
            "config.toml:1: a value that no setting takes; give text in quotation marks, an integer, true or false"),
        FaultCase(
            "a = +0x1",
            "config.toml:1: a value that no setting takes; give text in quotation marks, an integer, true or false"),
        FaultCase(
            "a = 0b2",
            "config.toml:1: a value that no setting takes; give text in quotation marks, an integer, true or false"),
        FaultCase(
            "a = 0x",
            "config.toml:1: a value that no setting takes; give text in quotation marks, an integer, true or false"),
        FaultCase(
            "a = -",
            "config.toml:1: a value that no setting takes; give text in quotation marks, an integer, true or false"),
        FaultCase(
            "a = 1.5",
            "config.toml:1: a value that no setting takes; give text in quotation marks, an integer, true or false"),
        FaultCase(
            "a = 1e3",
            "config.toml:1: a value that no setting takes; give text in quotation marks, an integer, true or false"),
        FaultCase(
            "a = inf",
            "config.toml:1: a value that no setting takes; give text in quotation marks, an integer, true or false"),
        FaultCase(
            "a = 2026-12-01",
            "config.toml:1: a value that no setting takes; give text in quotation marks, an integer, true or false"),
        FaultCase(
            "a = True",
            "config.toml:1: a value that no setting takes; give text in quotation marks, an integer, true or false"),
        FaultCase(
            "a = truE",
            "config.toml:1: a value that no setting takes; give text in quotation marks, an integer, true or false"),
        FaultCase("a = 9223372036854775808", "config.toml:1: an integer that 64 bits do not hold; give a smaller one"),
        FaultCase(
            "a = -0x8000000000000001",
            "config.toml:1: a value that no setting takes; give text in quotation marks, an integer, true or false"),
        FaultCase("\na = [1, 2", "config.toml:2: an array without a comma or ]; add it"),
        FaultCase("a = [1\n2]", "config.toml:1: an array without a comma or ] before line 2; add it"),
        FaultCase("a = [1,\n2\n,,]", "config.toml:3: a value is missing; give one, or remove the key"),
        FaultCase("a = [,]", "config.toml:1: a value is missing; give one, or remove the key"),
        FaultCase("a = { b = 1", "config.toml:1: an inline table without a comma or }; add it"),
        FaultCase("a = { b = 1,\n c = 2 }", "config.toml:1: an inline table without a comma or }; add it"),
        FaultCase(
            "a = { b = 1, }",
            "config.toml:1: a key is missing; write it in letters, digits, - and _, or in quotation marks"),
        FaultCase("a = { b = 1 c = 2 }", "config.toml:1: an inline table without a comma or }; add it"),
        FaultCase("a = {\nb = 1}", "config.toml:1: an inline table without a comma or }; add it"),
        FaultCase(
            "a = { , }", "config.toml:1: a key is missing; write it in letters, digits, - and _, or in quotation marks"),
        FaultCase("a = { b }", "config.toml:1: a key without =; write KEY = VALUE"),
        FaultCase("[a", "config.toml:1: a table's name without ]; close it"),
        FaultCase("\n[a b]", "config.toml:2: a table's name without ]; close it"),
        FaultCase("[[a]", "config.toml:1: a table's name without ]]; close it"),
        FaultCase("[[a] ]", "config.toml:1: a table's name without ]]; close it"),
        FaultCase("[]", "config.toml:1: a key is missing; write it in letters, digits, - and _, or in quotation marks"),
        FaultCase(
            "[a.]", "config.toml:1: a key is missing; write it in letters, digits, - and _, or in quotation marks"),
        FaultCase(
            "[=]", "config.toml:1: a key is missing; write it in letters, digits, - and _, or in quotation marks"),
        FaultCase(
            "[.a]", "config.toml:1: a key is missing; write it in letters, digits, - and _, or in quotation marks"),
        FaultCase(
            "[é]", "config.toml:1: a key is missing; write it in letters, digits, - and _, or in quotation marks"),
        FaultCase(
            "[ #", "config.toml:1: a key is missing; write it in letters, digits, - and _, or in quotation marks"),
        FaultCase(
            "a..b = 1", "config.toml:1: a key is missing; write it in letters, digits, - and _, or in quotation marks"),
        FaultCase("café = 1", "config.toml:1: a key without =; write KEY = VALUE"),
        FaultCase("a\u{1}= 1", "config.toml:1: a key without =; write KEY = VALUE"),
        FaultCase("a\rb = 1", "config.toml:1: a key without =; write KEY = VALUE"),
        FaultCase(
            "\u{1}", "config.toml:1: a key is missing; write it in letters, digits, - and _, or in quotation marks"),
        FaultCase("\"\"\"a\"\"\" = 1", "config.toml:1: a key in three quotation marks; use one"),
        FaultCase("'''a''' = 1", "config.toml:1: a key in three quotation marks; use one"),
        FaultCase("\n# \u{7}", "config.toml:2: a control character in a comment; remove it"),
        FaultCase("# a\rb", "config.toml:1: a control character in a comment; remove it"),
        FaultCase(
            "[[token]]\nuri = pkcs11:token=x?pin-value=1234\n",
            "config.toml:2: a value that no setting takes; give text in quotation marks, an integer, true or false"),
    ]
}
