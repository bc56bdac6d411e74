package scri

// Traits is what a target demands of the history it is sent. The zero value
// demands nothing.
type Traits struct {
	Dialect  string // signatures of this dialect
	Provider string // and, where both are known, of this provider are the target's own
	// Thinking in earlier turns: ThinkingAny, ThinkingSigned or ThinkingNone.
	Thinking ThinkingTrait
	// Developer: the role developer is known; else it becomes system.
	Developer bool
	// LateSystem: system text may stand anywhere; else only before the first
	// other message, and later ones become user messages in their place.
	LateSystem bool
	// CallIDChars and CallIDMax bound the ids of tool calls: allowed characters
	// ("" = any) and length (0 = any). Ids that do not fit are rewritten, the same
	// id to the same new one.
	CallIDChars string
	CallIDMax   int
	// PairedCalls: each tool call needs its result in what follows directly, and
	// each result its call; orphans are mended.
	PairedCalls bool
}

// ThinkingTrait says which thoughts of earlier turns a target takes back.
type ThinkingTrait uint8

// The traits.
const (
	ThinkingAny    ThinkingTrait = iota // takes text without signatures
	ThinkingSigned                      // only thoughts with a signature of its own
	ThinkingNone                        // none at all
)
