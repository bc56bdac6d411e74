package gateway

import (
	"bytes"
	"context"
	"strings"
	"sync"

	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/scri"
)

// classified finds out what the request demands of a target.
func classified[T any](_ *Gateway, next step[T]) step[T] {
	return func(ctx context.Context, c *call) (T, error) {
		if c.Embed != nil { // how long an input may be is for the model to say, which counts and does not guess
			c.needs = route.Needs{Embed: true}
		} else {
			c.needs = needs(c.Req)
		}
		return next(ctx, c)
	}
}

// bytesPerToken is a round figure for estimates: English prose has about 4.2
// bytes a token, code 3 to 3.5, Russian in UTF-8 about 5.
const bytesPerToken = 4

// roomAnywhere is how many tokens fit every window, so that nobody needs to know
// better.
const roomAnywhere = 2048

func needs(r *scri.ChatRequest) route.Needs {
	var n route.Needs
	n.Tokens = estimate(r, &n, scri.Text.Size)
	n.Tools = len(r.Tools) > 0
	if n.Tokens > roomAnywhere {
		n.Closer = sync.OnceValue(func() int64 { return estimate(r, new(route.Needs), plainSize) })
	}
	return n
}

// plainSize is about the length of a text without escapes. Clients that escape
// all that is not ASCII write six bytes in place of two or three.
func plainSize(t scri.Text) int {
	return t.Size() - 4*bytes.Count(t.AppendJSON(nil), []byte(`\u`))
}

// estimate is how many tokens the prompt may have, by the size of its texts.
func estimate(r *scri.ChatRequest, n *route.Needs, length func(scri.Text) int) int64 {
	size := 0
	for i := range r.Messages {
		size += measure(r.Messages[i].Parts, n, length) + 16
	}
	for i := range r.Tools {
		t := &r.Tools[i]
		size += len(t.Schema) + length(t.Description) + len(t.Name) + 16
	}
	return n.Tokens + int64(size/bytesPerToken)
}

// imageTokens is what an image counts for: providers take 300 to 1,600.
const imageTokens = 800

// measure returns the size of the parts' texts and notes what else they hold.
func measure(parts []scri.Part, n *route.Needs, length func(scri.Text) int) int {
	size := 0
	for i := range parts {
		p := &parts[i]
		size += length(p.Text) + len(p.Raw)
		if p.Call != nil {
			size += length(p.Call.Args) + len(p.Call.Name)
		}
		if p.Result != nil {
			size += measure(p.Result.Parts, n, length)
		}
		if m := p.Media; m != nil {
			size += length(m.Text)
			if strings.HasPrefix(m.Type, "image/") {
				n.Vision = true
				n.Tokens += imageTokens
			} else {
				size += m.Data.Size() / 8 // a file's text is a fraction of its base64
			}
		}
	}
	return size
}
