package gateway

import (
	"context"
	"strings"

	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/scri"
)

// classified finds out what the request demands of a target.
func classified(next step) step {
	return func(ctx context.Context, c *call) (scri.Stream, error) {
		c.needs = needs(c.Req)
		return next(ctx, c)
	}
}

// bytesPerToken is a round figure for estimates: English prose has about 4.2
// bytes a token, code 3 to 3.5, Russian in UTF-8 about 5.
const bytesPerToken = 4

func needs(r *scri.ChatRequest) route.Needs {
	var n route.Needs
	size := 0
	for i := range r.Messages {
		size += measure(r.Messages[i].Parts, &n) + 16
	}
	for i := range r.Tools {
		t := &r.Tools[i]
		size += len(t.Schema) + t.Description.Size() + len(t.Name) + 16
	}
	n.Tools = len(r.Tools) > 0
	n.Tokens += int64(size / bytesPerToken)
	return n
}

// imageTokens is what an image counts for: providers take 300 to 1,600.
const imageTokens = 800

// measure returns the size of the parts' texts and notes what else they hold.
func measure(parts []scri.Part, n *route.Needs) int {
	size := 0
	for i := range parts {
		p := &parts[i]
		size += p.Text.Size() + len(p.Raw)
		if p.Call != nil {
			size += p.Call.Args.Size() + len(p.Call.Name)
		}
		if p.Result != nil {
			size += measure(p.Result.Parts, n)
		}
		if m := p.Media; m != nil {
			size += m.Text.Size()
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
