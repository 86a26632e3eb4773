package discover

// ProbeForTest is a probe as it goes over the network.
func ProbeForTest(s Self) []byte { return packet{Self: s, kind: kindProbe}.encode() }
