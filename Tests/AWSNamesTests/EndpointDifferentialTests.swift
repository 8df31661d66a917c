import AWSNames
import Differential
import Foundation
import Testing

/// Our endpoints beside the rules of botocore, as `softhsm-tests/install` has installed it.
@Suite struct EndpointDifferentialTests {
    private static let python = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../.build-python/bin/python").standardized.path

    /// Prints for each service, region, FIPS and dual-stack the URL that botocore asks: all regions that it knows, and one of
    /// each partition that it does not.
    private static let program = """
        import itertools
        from botocore.endpoint_provider import EndpointProvider
        from botocore.session import Session

        loader = Session().get_component("data_loader")
        partitions = loader.load_data("partitions")
        regions = ["xx-unheard-9"]
        for partition in partitions["partitions"]:
            known = [name for name in partition["regions"] if not name.endswith("-global")]
            regions += known + [known[0][:-1] + "9"]
        for service in ["rolesanywhere", "sts"]:
            provider = EndpointProvider(loader.load_service_model(service, "endpoint-rule-set-1"), partitions)
            for region, fips, dual in itertools.product(regions, [False, True], [False, True]):
                url = provider.resolve_endpoint(Region=region, UseFIPS=fips, UseDualStack=dual).url
                print(service, region, fips, dual, url)
        """

    @Test("Each region's endpoints are those of botocore, with FIPS and dual-stack and without")
    func botocore() throws {
        let lines = try Python.answers(Self.program, to: Data(), by: Self.python)
        #expect(lines.count > 400)
        for line in lines {
            let words = line.split(separator: " ").map(String.init)
            let service = try #require(RegionalService(rawValue: words[0]))
            let endpoint = try Endpoint.resolve(
                service, region: words[1], fips: words[2] == "True", dualStack: words[3] == "True")
            #expect(endpoint.url == words[4])
        }
    }
}
