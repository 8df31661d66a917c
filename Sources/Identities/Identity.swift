internal import TokenService
internal import X509
