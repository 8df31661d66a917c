/// The variables by which AWS' programs find credentials.
///
/// Source: AWS SDKs and Tools Reference Guide, "Environment variables"; botocore's credentials.py; aws-vault's list for its
/// sub-shell; Java 1 and Go 1 for the short names of the keys.
package enum AWSVariable {
    private static let names: Set = [
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN",
        "AWS_CREDENTIAL_EXPIRATION", "AWS_CREDENTIAL_SCOPE", "AWS_ACCOUNT_ID", "AWS_ACCESS_KEY", "AWS_SECRET_KEY",
        "AWS_CREDENTIAL_FILE", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SDK_LOAD_CONFIG",
        "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    ]

    /// Whether a program may take other credentials than it is given because of a variable of this name: a command's are
    /// all that it is to have. Regions, endpoints and files of configuration stay.
    package static func leadsElsewhere(_ name: some Collection<UInt8>) -> Bool {
        // Such as AWS_BEARER_TOKEN_BEDROCK, which one service takes before all credentials.
        name.starts(with: "AWS_BEARER_TOKEN_".utf8) || names.contains(String(decoding: name, as: UTF8.self))
    }
}
