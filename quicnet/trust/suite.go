package trust

import (
	"crypto/tls"
	_ "unsafe" // for linkname
)

// Suite is the only cipher suite that members speak.
const Suite = tls.TLS_AES_256_GCM_SHA384

// tls.Config has no setting for the suites of TLS 1.3. These two lists decide;
// crypto/tls keeps their names and types for programs that do this. The server's
// order counts, so two of ours always agree on Suite; the others stay for HTTPS
// with the rest of the world. The verifier refuses less, and a test watches it.

//go:linkname defaultSuites crypto/tls.defaultCipherSuitesTLS13
var defaultSuites []uint16

//go:linkname defaultSuitesNoAES crypto/tls.defaultCipherSuitesTLS13NoAES
var defaultSuitesNoAES []uint16

func init() {
	s := []uint16{Suite, tls.TLS_CHACHA20_POLY1305_SHA256, tls.TLS_AES_128_GCM_SHA256}
	defaultSuites, defaultSuitesNoAES = s, s
}
