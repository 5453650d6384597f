package link

// Kind says what a Record tells about its key.
type Kind uint8

// The kinds of records.
const (
	KindSet      Kind = 1 + iota // the key's value is Value
	KindForget                   // the key is no more
	KindOversize                 // the key's value is larger than MaxValue and does not travel: what is known of it is not its state
	KindComplete                 // no key: the snapshot has been told to its end; the picture is whole
)

// Record is what a standby is told.
type Record struct {
	Kind     Kind
	Key      string // 1 to MaxKey bytes; empty for KindComplete
	Value    []byte // of KindSet alone: not nil, at most MaxValue bytes, valid until Handle returns
	Snapshot bool   // it is from the snapshot, and not a change since
}
