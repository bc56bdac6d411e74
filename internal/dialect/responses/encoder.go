package responses

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// encoder writes the objects of the dialect and notes what it could not say.
type encoder struct {
	w      wire.Writer
	answer bool   // what is written goes to a client, not to a provider
	input  bool   // and it is what the client sent
	path   []byte // JSON pointer of the node that is being written
	warn   []scri.Warning
	target *dialect.Target // of a request

	numbers []int // of the parts at hand, if they are some of many

	seed   string              // of the ids of items
	items  int                 // so many items have been written
	status string              // of items that have none of their own, in an answer
	odd    bool                // the status of the answer is none that is known
	probs  []scri.TokenLogProb // of the texts of an answer that are still to be written
}

// in goes down to a member of the node, at to an item; out goes back.
func (e *encoder) in(name string) int {
	n := len(e.path)
	e.path = append(append(e.path, '/'), name...)
	return n
}

func (e *encoder) at(i int) int {
	n := len(e.path)
	e.path = strconv.AppendInt(append(e.path, '/'), int64(i), 10)
	return n
}

// atPart goes to a part, whose number is another than its place where the list
// holds only some.
func (e *encoder) atPart(i int) int {
	if e.numbers != nil {
		i = e.numbers[i]
	}
	return e.at(i)
}

func (e *encoder) out(n int) { e.path = e.path[:n] }

// lose notes what happened to the node, or to a member of it.
func (e *encoder) lose(code, member, from, to, detail string) {
	path := string(e.path)
	if member != "" {
		path += "/" + member
	}
	e.warn = append(e.warn, scri.Warning{Code: code, Path: path, From: from, To: to, Detail: detail})
}

func (e *encoder) drop(member, detail string) { e.lose(scri.WarnDropped, member, "", "", detail) }

// foreign reports the members that only another dialect knows.
func (e *encoder) foreign(x *scri.Ext) {
	if x != nil && x.Dialect != Name {
		dialect.Foreign(&e.warn, x, Name, func() string { return string(e.path) })
	}
}

// homeless reports all members of an Ext that has no object of its own here.
func (e *encoder) homeless(x *scri.Ext) {
	if x != nil {
		dialect.Foreign(&e.warn, x, "", func() string { return string(e.path) })
	}
}

// ext writes the members that only this dialect knows, less those named.
func (e *encoder) ext(x *scri.Ext, less ...string) {
	own := x.Of(Name)
	switch {
	case own == nil:
		e.foreign(x)
	case len(own.Members) == 0:
	case len(less) == 0 && (e.answer || !strings.Contains(string(own.Members), minted)):
		e.w.Members(own.Members)
	default:
		s := wire.NewScanner(own.Members)
		for name := range s.Members() {
			if one(name, less) || !e.answer && name == "id" && mintedNext(s) {
				continue
			}
			e.w.Raw(s.Member())
		}
	}
}

// mintedNext reports whether the next value is an id that this gateway made.
func mintedNext(s *wire.Scanner) bool {
	if s.Kind() != wire.String {
		return false
	}
	m := s.Mark()
	id := s.Unquoted()
	s.Rewind(m)
	return isMinted(id)
}

func one(name string, of []string) bool { return slices.Contains(of, name) }

// member is the value of a member that only this dialect knows, or nil.
func member(x *scri.Ext, name string) []byte {
	own := x.Of(Name)
	if own == nil || len(own.Members) == 0 {
		return nil
	}
	return wire.NewScanner(own.Members).Peek(name)
}

func (e *encoder) str(key, v string) {
	if v != "" {
		e.w.Key(key)
		e.w.Str(v)
	}
}

func (e *encoder) text(key string, t scri.Text) {
	e.w.Key(key)
	dialect.WriteText(&e.w, t)
}

func (e *encoder) open(typ string) {
	e.w.BeginObject()
	e.w.Key("type")
	e.w.Str(typ)
}

// newID makes the id of an item of an answer.
func (e *encoder) newID(prefix string) string {
	return prefix + minted + e.seed + "_" + strconv.Itoa(e.items)
}

// ornaments reports what a part can have in other formats.
func (e *encoder) ornaments(p *scri.Part) {
	if p.Cache != nil {
		e.drop("cache", "prompts are cached without being told")
	}
	if p.Signature != nil && p.Kind != scri.PartThinking {
		e.drop("signature", "only thoughts are signed here")
	}
	if len(p.Citations) > 0 && p.Kind != scri.PartText {
		e.drop("citations", "only texts have sources here")
	}
}
