package gemini

import (
	"bytes"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aratta-gateway/aratta/scri"
)

// cite gives the latest text the citations that the metadata of a piece tell.
func (d *streamDecoder) cite(s *spoken, c *candidate) {
	if slices.ContainsFunc(s.sources, func(b []byte) bool { return bytes.Equal(b, c.sources) }) {
		return // Google repeats them now and then
	}
	if c.sources != nil && len(s.sources) < maxSources {
		s.sources = append(s.sources, bytes.Clone(c.sources))
	}
	if s.open != scri.PartText {
		s.untold = true
		return
	}
	g := readGrounding(c.sources, c.recited)
	g.each(func(sup *support, cit scri.Citation) {
		if sup.start <= sup.end && sup.end <= s.place.n {
			cit.Start, cit.End = s.place.at(sup.start), s.place.at(sup.end)
		} else {
			g.more = true
		}
		cit.URL, cit.Title, cit.Document = strings.Clone(cit.URL), strings.Clone(cit.Title), strings.Clone(cit.Document)
		d.event(s, scri.EventDelta).Citation = &cit
	})
	s.untold = s.untold || g.more
}

// cite keeps a citation until its text is whole.
func (k *writing) cite(c *scri.Citation) {
	if !isDerived(c) {
		k.cites = append(k.cites, *(&scri.StreamEvent{Citation: c}).Clone().Citation)
	}
}

// cites takes in the citations of a text that ends. A reader takes them for those of
// the latest text.
func (s *streamEncoder) cites(t *telling, k *writing) {
	if len(k.cites) == 0 || !k.wrote {
		return
	}
	s.claims, t.claims.part = &t.claims, -1
	before := t.place.at(k.from)
	in := s.In("citations")
	for i := range k.cites {
		c := &k.cites[i]
		at := s.At(i)
		switch start, end := t.place.byteOf(before+c.Start), t.place.byteOf(before+c.End); {
		case k != t.text || k.kind != scri.PartText || t.open != scri.PartText: // something came behind it
			s.Drop("", "it is not about the latest text")
		case c.Start == 0 && c.End == 0:
			s.cite(c, 0, 0)
		case t.place.full:
			s.cite(c, -1, -1)
		default:
			s.cite(c, start, end)
		}
		s.Out(at)
	}
	s.Out(in)
}

// cited writes what the texts so far cite, as a piece of its own.
func (s *streamEncoder) cited(t *telling) {
	if len(t.claims.list) == 0 {
		return
	}
	n := s.candidate()
	t.claims.write(&s.w)
	t.claims = claims{}
	s.after(n, t)
}

// maxSources bounds how many different groundings of one choice are remembered.
const maxSources = 64

// runeIndex tells which rune of a text a byte belongs to, and the other way round: a
// bit for each byte that begins one, and none while all bytes do.
type runeIndex struct {
	bits []uint64
	n    int // bytes
	full bool
}

// maxPlaced bounds the text whose places are known.
const maxPlaced = 8 << 20

func (x *runeIndex) add(text []byte) {
	if x.full = x.full || x.n+len(text) > maxPlaced; x.full {
		return
	}
	if len(x.bits) == 0 {
		if !slices.ContainsFunc(text, func(b byte) bool { return b >= utf8.RuneSelf }) {
			x.n += len(text)
			return
		}
		for i := 0; i < x.n; i += 64 {
			x.bits = append(x.bits, 1<<min(x.n-i, 64)-1)
		}
	}
	for _, b := range text {
		if x.n&63 == 0 {
			x.bits = append(x.bits, 0)
		}
		if b&0xC0 != 0x80 {
			x.bits[x.n>>6] |= 1 << (x.n & 63)
		}
		x.n++
	}
}

// at is how many runes begin before the byte.
func (x *runeIndex) at(b int) int {
	if len(x.bits) == 0 {
		return b
	}
	n := 0
	for _, w := range x.bits[:b>>6] {
		n += bits.OnesCount64(w)
	}
	if b&63 != 0 {
		n += bits.OnesCount64(x.bits[b>>6] & (1<<(b&63) - 1))
	}
	return n
}

// byteOf is where the rune begins, or -1 behind the text. The rune behind the last
// one begins at its end.
func (x *runeIndex) byteOf(r int) int {
	if len(x.bits) == 0 {
		if r > x.n {
			return -1
		}
		return r
	}
	for i, w := range x.bits {
		if n := bits.OnesCount64(w); r >= n {
			r -= n
			continue
		}
		for ; r > 0; r-- {
			w &= w - 1
		}
		return i<<6 + bits.TrailingZeros64(w)
	}
	if r > 0 {
		return -1
	}
	return x.n
}
