package wire

// The kinds of a blob stream. The opener asks with BlobWant; the acceptor answers
// with BlobHave, after which that many raw bytes follow, or with a Fault.
const (
	KindBlobWant Kind = 112
	KindBlobHave Kind = 113
)

// BlobWant asks for content.
type BlobWant struct {
	Ref string `msgpack:"r"`
}

// BlobHave says how many bytes follow.
type BlobHave struct {
	Size int64 `msgpack:"s"`
}

func (BlobWant) WireKind() Kind { return KindBlobWant }
func (BlobHave) WireKind() Kind { return KindBlobHave }

func init() {
	register(
		Info{Kind: KindBlobWant, Name: "blob-want", Stream: StreamBlob, From: Opener, Max: 1 << 10},
		Info{Kind: KindBlobHave, Name: "blob-have", Stream: StreamBlob, From: Acceptor, Max: 64},
	)
}
