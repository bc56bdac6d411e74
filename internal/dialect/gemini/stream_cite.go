package gemini

import (
	"bytes"
	"math/bits"
	"slices"
	"strings"

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
		return
	}
	g := readGrounding(c.sources, c.recited)
	g.each(func(sup *support, cit scri.Citation) {
		if sup.start <= sup.end && sup.end <= s.place.n {
			cit.Start, cit.End = s.place.at(sup.start), s.place.at(sup.end)
		}
		cit.URL, cit.Title, cit.Document = strings.Clone(cit.URL), strings.Clone(cit.Title), strings.Clone(cit.Document)
		d.event(s, scri.EventDelta).Citation = &cit
	})
}

// maxSources bounds how many different groundings of one choice are remembered.
const maxSources = 64

// runeIndex tells which rune of a text a byte belongs to: a bit for each byte that
// begins one.
type runeIndex struct {
	bits []uint64
	n    int // bytes
}

// maxPlaced bounds the text whose places are known.
const maxPlaced = 8 << 20

func (x *runeIndex) add(text []byte) {
	if x.n+len(text) > maxPlaced {
		return
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
	n := 0
	for _, w := range x.bits[:b>>6] {
		n += bits.OnesCount64(w)
	}
	if b&63 != 0 {
		n += bits.OnesCount64(x.bits[b>>6] & (1<<(b&63) - 1))
	}
	return n
}
