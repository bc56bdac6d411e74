package gateway

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aratta-gateway/aratta/internal/fetch"
	"github.com/aratta-gateway/aratta/internal/policy"
	"github.com/aratta-gateway/aratta/scri"
)

// Bounds of what one request may have fetched.
const (
	maxMedia   = 32 // addresses
	totalMedia = 4  // times the size of one file, all of them together
)

// errNamed is the cause of errors that name what the client wrote, which keeps
// them out of the log.
var errNamed = errors.New("fetching what the request names")

// fetched is what came of one address.
type fetched struct {
	mime string
	data scri.Text // base64
	err  error
}

// medium is a medium that is given by its address, and its place.
type medium struct {
	*scri.Media
	path string
}

// withMedia returns the request with the bytes of those media that the target
// does not take by their address, and a warning for each. What was fetched for
// one target is there for the next.
//
// A sovereign request is given to nobody with an address in it, as a local
// runtime would go and fetch what stands there.
func (g *Gateway) withMedia(ctx context.Context, c *call, r *scri.ChatRequest, t *scri.Traits) (*scri.ChatRequest, []scri.Warning, error) {
	inside := c.verdict.Allows(policy.Cloud) != nil
	wanted := func(m *scri.Media) bool {
		switch {
		case !remote(m):
			return false
		case t.Media.ByAddress(m.Type), t.MediaHosts != "" && hosted(m.URL.String(), t.MediaHosts):
			return inside
		default:
			return t.Media.ByBytes(m.Type)
		}
	}
	var list []medium
	for i := range r.Messages {
		if parts := r.Messages[i].Parts; mayHold(parts) { // most hold none, and their paths need not be written
			list = gather(list, parts, "/messages/"+strconv.Itoa(i)+"/content", wanted)
		}
	}
	switch {
	case len(list) == 0:
		return r, nil, nil
	case g.fetch == nil && inside:
		return nil, nil, &scri.Error{
			Kind: scri.ErrPolicy, Path: list[0].path,
			Message: "the request is sovereign, and whoever answers it would fetch what stands at this address", Hint: "send the data itself",
		}
	case g.fetch == nil:
		return r, nil, nil // the dialect tells what it drops
	}
	if err := g.fetchAll(ctx, c, list, inside); err != nil {
		return nil, nil, err
	}
	warn := make([]scri.Warning, len(list))
	for i, m := range list {
		warn[i] = scri.Warning{
			Code: scri.WarnChanged, Path: m.path, From: "url", To: "data",
			Detail: "fetched by the gateway, as the target is given bytes alone",
		}
	}
	out := *r
	out.Messages = slices.Clone(r.Messages)
	for i := range out.Messages {
		out.Messages[i].Parts = c.filled(out.Messages[i].Parts, wanted)
	}
	return &out, warn, nil
}

// remote reports whether a medium is nothing but an address of the web.
func remote(m *scri.Media) bool {
	if m == nil || m.URL.IsZero() || !m.Data.IsZero() || !m.Text.IsZero() || m.FileID != "" {
		return false
	}
	u := m.URL.String()
	scheme, _, ok := strings.Cut(u[:min(len(u), len("https://"))], "://")
	return ok && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}

// hosted reports whether an address belongs to one of the hosts, or to a name
// below one.
func hosted(address, hosts string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	name := strings.ToLower(u.Hostname())
	for h := range strings.FieldsSeq(hosts) {
		if below, ok := strings.CutSuffix(name, h); ok && (below == "" || strings.HasSuffix(below, ".")) {
			return true
		}
	}
	return false
}

// gather appends the wanted media of a list of parts.
func gather(list []medium, parts []scri.Part, at string, wanted func(*scri.Media) bool) []medium {
	for i := range parts {
		p := &parts[i]
		path := at + "/" + strconv.Itoa(i)
		if p.Kind == scri.PartMedia && wanted(p.Media) {
			list = append(list, medium{p.Media, path + "/media/url"})
		}
		if p.Result != nil {
			list = gather(list, p.Result.Parts, path+"/result/content", wanted)
		}
	}
	return list
}

// mayHold reports whether there may be media in parts.
func mayHold(parts []scri.Part) bool {
	for i := range parts {
		if parts[i].Kind == scri.PartMedia || parts[i].Result != nil {
			return true
		}
	}
	return false
}

// filled returns the parts with what was fetched for them; they are not touched.
func (c *call) filled(parts []scri.Part, wanted func(*scri.Media) bool) []scri.Part {
	out := parts
	own := func(i int) *scri.Part {
		if &out[0] == &parts[0] {
			out = slices.Clone(parts)
		}
		return &out[i]
	}
	for i := range parts {
		p := &parts[i]
		if p.Kind == scri.PartMedia && wanted(p.Media) {
			m := *p.Media
			f := c.media[m.URL.String()]
			m.Type, m.Data, m.URL = f.mime, f.data, scri.Text{}
			own(i).Media = &m
		}
		if p.Result == nil {
			continue
		}
		if in := c.filled(p.Result.Parts, wanted); len(in) > 0 && &in[0] != &p.Result.Parts[0] {
			r := *p.Result
			r.Parts = in
			own(i).Result = &r
		}
	}
	return out
}

// fetchAll fetches what was not fetched before, all at once, and returns the
// first error in the order of the request.
func (g *Gateway) fetchAll(ctx context.Context, c *call, list []medium, inside bool) error {
	scope := fetch.Anywhere
	if inside {
		scope = fetch.Near
	}
	if c.media == nil {
		c.media = map[string]*fetched{}
	}
	var all sync.WaitGroup
	for _, m := range list {
		address := m.URL.String()
		if c.media[address] != nil {
			continue
		}
		if len(c.media) >= maxMedia {
			return &scri.Error{Kind: scri.ErrInvalid, Path: m.path, Message: fmt.Sprintf("more than %d media are given by their address", maxMedia), Hint: "send the data itself"}
		}
		f := &fetched{}
		c.media[address] = f
		all.Go(func() { f.get(ctx, g.fetch, address, m.Type, scope) })
	}
	all.Wait()
	var size int64
	for _, m := range list {
		f := c.media[m.URL.String()]
		if f.err != nil {
			e := *scri.AsError(f.err)
			e.Path, e.Err = m.path, errNamed
			return &e
		}
		if size += int64(f.data.Size()) / 4 * 3; size > totalMedia*g.fetch.MaxBytes() {
			return &scri.Error{
				Kind: scri.ErrUnsupported, Path: m.path, Message: fmt.Sprintf("the media that are given by their addresses are larger than %d KB together", totalMedia*g.fetch.MaxBytes()>>10),
				Hint: "send fewer, or raise media.max_bytes",
			}
		}
	}
	return nil
}

func (f *fetched) get(ctx context.Context, from *fetch.Fetcher, address, mime string, s fetch.Scope) {
	file, err := from.Get(ctx, address, mime, s)
	if err != nil {
		f.err = err
		return
	}
	f.mime, f.data = file.Type, scri.NewText(base64.StdEncoding.EncodeToString(file.Data))
}
