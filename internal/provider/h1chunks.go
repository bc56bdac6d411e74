package provider

import (
	"errors"

	"golang.org/x/net/http/httpguts"
)

// chunks takes the frame off a chunked body, however its bytes are cut. It takes
// what net/http takes, or less: lines end with CR LF and nothing else.
type chunks struct {
	state  chunkState
	digits int8
	excess bool // something stood behind the last chunk: the connection is not used again
	left   int64
	line   int // bytes of the present line; those of a trailer are counted as one
	extra  int // bytes of frames that no content makes up for
}

type chunkState uint8

const (
	chunkSize      chunkState = iota // at the digits of a size
	chunkSpace                       // behind them
	chunkExtension                   // behind a semicolon
	chunkSizeLF
	chunkData
	chunkDataCR
	chunkDataLF
	chunkTrailer // at the start of a line of the trailer
	chunkTrailerName
	chunkTrailerValue
	chunkTrailerLF
	chunkLastLF
	chunkEnd
)

// Bounds of what a body may hold besides content.
const (
	maxChunkLine = 4 << 10
	maxExtra     = 16 << 10
)

var errChunks = errors.New("the answer is not properly chunked")

// unwrap moves the content within p to its front and returns its length.
func (c *chunks) unwrap(p []byte) (n int, err error) {
	for i := 0; i < len(p); {
		if c.state == chunkData {
			k := int(min(c.left, int64(len(p)-i)))
			n += copy(p[n:], p[i:i+k])
			i += k
			if c.left -= int64(k); c.left == 0 {
				c.state = chunkDataCR
			}
			continue
		}
		if c.state == chunkEnd {
			c.excess = true
			return n, nil
		}
		if c.line++; c.line > maxChunkLine || !c.step(p[i]) {
			return n, errChunks
		}
		i++
	}
	return n, nil
}

// step takes one byte that is no content, and reports whether it fits.
func (c *chunks) step(b byte) bool {
	switch c.state {
	case chunkSize, chunkSpace, chunkExtension:
		return c.sizeLine(b)
	case chunkSizeLF:
		return b == '\n' && c.begin()
	case chunkDataCR:
		c.state = chunkDataLF
		return b == '\r'
	case chunkDataLF:
		c.state, c.digits, c.line = chunkSize, 0, 0
		return b == '\n'
	case chunkLastLF:
		c.state = chunkEnd
		return b == '\n'
	default:
		return c.trailer(b)
	}
}

// sizeLine takes a byte of the line that holds the size of a chunk.
func (c *chunks) sizeLine(b byte) bool {
	d := hexDigit(b)
	switch {
	case c.state == chunkSize && d >= 0:
		if c.digits++; c.digits > 16 || c.left >= 1<<59 {
			return false
		}
		c.left = c.left<<4 | int64(d)
		return true
	case c.digits == 0:
		return false
	case b == '\r':
		c.state = chunkSizeLF
		return true
	case c.state == chunkExtension:
		return b != '\n'
	case c.state == chunkSize && b == ';':
		c.state = chunkExtension
		return true
	default:
		c.state = chunkSpace
		return b == ' ' || b == '\t'
	}
}

// begin begins a chunk whose size is known. As net/http has it, a chunk makes up
// for its own frame and a little more, or the frames of a long stream would add up.
func (c *chunks) begin() bool {
	c.extra = max(0, c.extra+c.line-16-2*int(min(c.left, maxExtra)))
	c.state, c.line = chunkData, 0
	if c.left == 0 {
		c.state = chunkTrailer
	}
	return c.extra <= maxExtra
}

// trailer takes a byte behind the last chunk. Nobody wants what stands there.
func (c *chunks) trailer(b byte) bool {
	switch {
	case c.state == chunkTrailer && b == '\r':
		c.state = chunkLastLF
		return true
	case c.state == chunkTrailerLF:
		c.state = chunkTrailer
		return b == '\n'
	case c.state == chunkTrailerValue && b == '\r':
		c.state = chunkTrailerLF
		return true
	case c.state == chunkTrailerValue:
		return b >= ' ' && b != 0x7f || b == '\t'
	case c.state == chunkTrailerName && b == ':':
		c.state = chunkTrailerValue
		return true
	default:
		c.state, c.excess = chunkTrailerName, true
		return httpguts.IsTokenRune(rune(b))
	}
}

func hexDigit(b byte) int {
	switch {
	case b >= '0' && b <= '9':
		return int(b - '0')
	case b >= 'a' && b <= 'f':
		return int(b-'a') + 10
	case b >= 'A' && b <= 'F':
		return int(b-'A') + 10
	default:
		return -1
	}
}
