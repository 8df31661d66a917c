import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Listens on 127.0.0.1 and nowhere else. One thread serves every connection: the clients are what is tested.
package final class EmulatorServer {
    private let group: MultiThreadedEventLoopGroup
    private let channel: any Channel

    /// - Parameters:
    ///   - port: 0 for any that is free.
    ///   - tls: Nil for plain HTTP.
    ///   - clients: For the endpoint of IoT, which answers nothing else.
    /// - Throws: The port is taken, or the certificate and key do not fit.
    package init(_ service: EmulatorService, port: Int, tls: TLSFiles?, clients: ClientRules? = nil) throws {
        let context = try tls.map { try Self.context($0, clients, authorities: service.authorities) }
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        channel = try ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let context { try pipeline.addHandler(NIOSSLServerHandler(context: context)) }
                    try pipeline.configureHTTPServerPipeline()
                    try pipeline.addHandler(RequestHandler(service, clients))
                }
            }
            .bind(host: "127.0.0.1", port: port).wait()
    }

    package var port: Int { channel.localAddress?.port ?? 0 }

    private static func context(
        _ files: TLSFiles, _ clients: ClientRules?, authorities: [[UInt8]]
    ) throws -> NIOSSLContext {
        let certificates = try NIOSSLCertificate.fromPEMBytes(files.certificates)
        let key = try NIOSSLPrivateKey(bytes: files.key, format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: certificates.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        try clients?.apply(to: &configuration, authorities: authorities)
        return try NIOSSLContext(configuration: configuration)
    }
}
