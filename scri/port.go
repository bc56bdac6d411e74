package scri

import (
	"strconv"
	"strings"
)

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
	// Alternate: user and assistant take turns, the user first; messages of one
	// that follow each other are joined. OneSystem: there is one system message, at
	// the beginning. NoSystem: there is none, and what it would say begins what the
	// user says first. With either, late system text is the user's.
	Alternate, OneSystem, NoSystem bool
	// Stateful: answers are kept, so that PreviousID can name one.
	Stateful bool
	// Media given by their address: MediaAny and what follows. Port leaves them
	// as they are: to fetch them is the business of whoever may.
	Media MediaTrait
	// MediaHosts are names of hosts, between spaces: an address there, or at a
	// name below one, is taken whatever Media says.
	MediaHosts string
}

// ThinkingTrait says which thoughts of earlier turns a target takes back.
type ThinkingTrait uint8

// The traits.
const (
	ThinkingAny    ThinkingTrait = iota // takes text without signatures
	ThinkingSigned                      // only thoughts with a signature of its own
	ThinkingNone                        // none at all
	ThinkingText                        // as text of the answer, in <think> tags
)

// MediaTrait says which media a target takes by their address.
type MediaTrait uint8

// The traits.
const (
	MediaAny        MediaTrait = iota // all
	MediaDocuments                    // images and PDF; others by their bytes
	MediaImages                       // images; others by their bytes
	MediaBytes                        // none: all by their bytes
	MediaImageBytes                   // none: images by their bytes, others not at all
)

// ByAddress reports whether the target takes a medium of the MIME type ("" =
// unknown) by its address.
func (t MediaTrait) ByAddress(mime string) bool {
	switch t {
	case MediaAny:
		return true
	case MediaDocuments:
		return mime == "application/pdf" || strings.HasPrefix(mime, "image/")
	case MediaImages:
		return strings.HasPrefix(mime, "image/")
	default:
		return false
	}
}

// ByBytes reports whether the target takes a medium of the MIME type by its
// bytes and not by its address.
func (t MediaTrait) ByBytes(mime string) bool {
	if t == MediaImageBytes {
		return mime == "" || strings.HasPrefix(mime, "image/")
	}
	return !t.ByAddress(mime)
}

// Port fits the history of r to what its target demands, so that an encoder can
// write it: signatures that are not the target's own go, ids of calls that do
// not fit are made anew (the same from turn to turn, so that prompt caches
// hold), calls and results find each other, roles become ones that the target
// knows. Each change is a warning whose path points into r. The result shares
// with r what did not change; it is r itself, and nothing is allocated, where
// everything fits already.
func Port(r *ChatRequest, t Traits) (*ChatRequest, []Warning) {
	t.LateSystem = t.LateSystem && !t.OneSystem && !t.NoSystem
	if t.fits(r) {
		return r, nil
	}
	p := porter{t: t, chars: newCharset(t.CallIDChars)}
	p.take(r.Messages)
	if p.t.needsIDs() {
		p.fitIDs()
	}
	if t.PairedCalls {
		p.pair()
	}
	p.arrange()
	if len(p.warnings) == 0 {
		return r, nil
	}
	out := *r
	out.Messages = p.messages()
	return &out, p.warnings
}

// fits reports whether Port would change nothing. It may err towards false.
func (t *Traits) fits(r *ChatRequest) bool {
	ids, chars := t.needsIDs(), newCharset(t.CallIDChars)
	late := false
	for i := range r.Messages {
		m := &r.Messages[i]
		if t.role(m.Role, late) != m.Role {
			return false
		}
		late = late || !isSystem(m.Role)
		for j := range m.Parts {
			p := &m.Parts[j]
			if t.fate(p) != fateKeep {
				return false
			}
			if id, ok := callID(p); ok && ids && !t.fitsID(id, &chars) {
				return false
			}
		}
	}
	return (!t.PairedCalls || paired(r.Messages)) && t.arranged(r.Messages)
}

func isSystem(r Role) bool { return r == RoleSystem || r == RoleDeveloper }

// role is what becomes of a role; late says that others have spoken before.
func (t *Traits) role(r Role, late bool) Role {
	switch {
	case !isSystem(r):
		return r
	case late && !t.LateSystem:
		return RoleUser
	case r == RoleDeveloper && !t.Developer:
		return RoleSystem
	default:
		return r
	}
}

// fate is what becomes of a part for its signature's sake.
type fate uint8

const (
	fateKeep   fate = iota
	fateUnsign      // the signature goes
	fateDrop        // the part goes
	fateTell        // the thought is told as text
)

func (t *Traits) fate(p *Part) fate {
	s := p.Signature
	foreign := s != nil && !t.own(s)
	switch {
	case p.Kind != PartThinking:
		if foreign {
			return fateUnsign
		}
		return fateKeep
	case t.Thinking == ThinkingNone:
		return fateDrop
	case t.Thinking == ThinkingText && (p.Text.IsZero() || s != nil && s.Redacted):
		return fateDrop
	case t.Thinking == ThinkingText:
		return fateTell
	case t.Thinking == ThinkingSigned && (s == nil || foreign):
		return fateDrop
	case !foreign:
		return fateKeep
	case s.Redacted || p.Text.IsZero():
		return fateDrop // there is nothing in it for anybody else
	default:
		return fateUnsign
	}
}

// own reports whether the target can use the signature.
func (t *Traits) own(s *Signature) bool {
	if t.Dialect == "" {
		return true
	}
	return s.Dialect == t.Dialect && (s.Provider == "" || t.Provider == "" || s.Provider == t.Provider)
}

// porter is the work of a Port that has something to do.
type porter struct {
	t        Traits
	chars    charset
	turns    []turn
	warnings []Warning
}

// turn is a message on its way.
type turn struct {
	in      int // where it stands in the input; -1 = it is new
	m       *Message
	role    Role
	pieces  []piece
	changed bool
}

// piece is a part on its way.
type piece struct {
	in, part int // message and part of the input
	p        *Part
}

func (c *piece) path() string { return partPath(c.in, c.part) }

func (p *porter) warn(code, path, from, to, detail string) {
	p.warnings = append(p.warnings, Warning{Code: code, Path: path, From: from, To: to, Detail: detail})
}

// take makes turns of messages, settling roles and signatures.
func (p *porter) take(list []Message) {
	late := false
	for i := range list {
		m := &list[i]
		t := turn{in: i, m: m, role: p.t.role(m.Role, late)}
		late = late || !isSystem(m.Role)
		if t.role != m.Role {
			t.changed = true
			p.warn(WarnChanged, messagePath(i)+"/role", string(m.Role), string(t.role), "the target does not take this role here")
		}
		for j := range m.Parts {
			p.takePart(&t, piece{in: i, part: j, p: &m.Parts[j]})
		}
		if len(t.pieces) == 0 && len(m.Parts) > 0 {
			p.warn(WarnDropped, messagePath(i), "", "", "nothing was left of the message")
			continue
		}
		p.turns = append(p.turns, t)
	}
}

func (p *porter) takePart(t *turn, c piece) {
	switch p.t.fate(c.p) {
	case fateDrop:
		t.changed = true
		p.warn(WarnDropped, c.path(), string(c.p.Kind), "", "the target takes no thoughts of others back")
	case fateUnsign:
		t.changed = true
		p.warn(WarnDropped, c.path()+"/signature", c.p.Signature.Dialect, "", "the signature is not the target's own")
		part := *c.p
		part.Signature = nil
		c.p = &part
		t.pieces = append(t.pieces, c)
	case fateTell:
		t.changed = true
		p.warn(WarnChanged, c.path(), string(PartThinking), string(PartText), "the target is told thoughts as text")
		told := TextPart("<think>\n" + c.p.Text.String() + "\n</think>")
		c.p = &told
		t.pieces = append(t.pieces, c)
	default:
		t.pieces = append(t.pieces, c)
	}
}

// messages makes messages of turns again.
func (p *porter) messages() []Message {
	out := make([]Message, 0, len(p.turns))
	for _, t := range p.turns {
		if !t.changed && t.in >= 0 {
			out = append(out, *t.m)
			continue
		}
		m := Message{}
		if t.in >= 0 {
			m = *t.m
		}
		m.Role = t.role
		m.Parts = make([]Part, len(t.pieces))
		for i, c := range t.pieces {
			m.Parts[i] = *c.p
		}
		out = append(out, m)
	}
	return out
}

func messagePath(i int) string { return "/messages/" + strconv.Itoa(i) }

func partPath(i, j int) string { return messagePath(i) + "/content/" + strconv.Itoa(j) }
