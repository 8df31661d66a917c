@main
enum Tokenward {
    static func main() {}
}
