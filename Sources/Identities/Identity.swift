import TokenService
import X509
