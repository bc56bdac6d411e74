package dialecttest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// The checks of vectors.
const (
	CheckEmbed1Request  = "1 request for vectors"
	CheckEmbed1Response = "1 vectors"
	CheckEmbed4Request  = "4 request for vectors"
	CheckEmbed4Response = "4 vectors"
)

// EmbedRoute returns the dialect's own route for a path, or its first for vectors.
func EmbedRoute(d dialect.Dialect, path string) dialect.Route {
	var first dialect.Route
	for _, r := range d.Routes() {
		if r.Op != scri.OpEmbed {
			continue
		}
		if r.Pattern == path || r.Verb != "" && strings.HasSuffix(path, ":"+r.Verb) {
			return r
		}
		if first.Pattern == "" {
			first = r
		}
	}
	return first
}

// EmbedIncoming makes what a server of the dialect would be given. Where the model
// stands in the path, it is found there.
func EmbedIncoming(d dialect.Dialect, path string, body []byte) *dialect.Incoming {
	model := path[strings.LastIndexByte(path, '/')+1:]
	if _, after, ok := strings.Cut(path, "/models/"); ok {
		model = after
	}
	model, _, inPath := strings.Cut(model, ":")
	if plain, err := url.PathUnescape(model); err == nil { // as servers do
		model = plain
	}
	return &dialect.Incoming{Route: EmbedRoute(d, path), Header: http.Header{}, Body: body, Param: func(string) string {
		if !inPath {
			return ""
		}
		return model
	}}
}

// embed asks the laws of a recorded request for vectors.
func (r *runner) embed() {
	x := r.x
	d, ok := r.d.(dialect.Embedder)
	if !ok {
		return
	}
	var req *scri.EmbedRequest
	broken := guard(func() []string {
		var err error
		if req, err = d.DecodeEmbedRequest(EmbedIncoming(r.d, x.Path, x.Request)); err != nil {
			return []string{"decode: " + err.Error()}
		}
		return nil
	})
	if req == nil {
		r.add(CheckEmbed1Request, "", broken)
		return
	}
	r.add(CheckEmbed1Request, "", LawEmbed1Request(r.d, x.Path, x.Request))
	for _, to := range r.table {
		if _, ok := to.(dialect.Embedder); ok {
			r.pair(CheckEmbed4Request, to, func() ([]string, error) { return LawEmbed4Request(to, req) })
		}
	}
	if x.Status >= http.StatusBadRequest {
		r.failure()
		return
	}
	a := &dialect.Answer{Status: x.Status, Header: x.RespHeader, Body: x.Body, Target: target(req.Model)}
	r.add(CheckEmbed1Response, "", LawEmbed1Response(r.d, x.Path, req, a))
	resp, err := d.DecodeEmbedResponse(a, req)
	if err != nil {
		return // law 1 has told of it
	}
	for _, to := range r.table {
		if _, ok := to.(dialect.Embedder); ok {
			r.pair(CheckEmbed4Response, to, func() ([]string, error) { return LawEmbed4Response(to, req, resp) })
		}
	}
}

// pair asks a law that a format may refuse to be asked: what it cannot carry is no
// loss when it says so.
func (r *runner) pair(check string, to dialect.Dialect, law func() ([]string, error)) {
	var refused error
	problems := guard(func() (list []string) {
		list, refused = law()
		return list
	})
	if refused != nil {
		r.out = append(r.out, Result{X: r.x, Check: check, Target: to.Name(), NA: "refused: " + scri.AsError(refused).Message})
		return
	}
	r.add(check, to.Name(), problems)
}

// LawEmbed1Request tests this: decode then encode gives the same JSON value.
func LawEmbed1Request(d dialect.Dialect, path string, body []byte) []string {
	return guard(func() []string {
		e := d.(dialect.Embedder) //nolint:forcetypeassert // the caller has looked
		req, err := e.DecodeEmbedRequest(EmbedIncoming(d, path, body))
		if err != nil {
			return []string{"decode: " + err.Error()}
		}
		out, warnings, err := e.EncodeEmbedRequest(req, &dialect.Target{Model: req.Model, Variant: spoken(path)})
		if err != nil {
			return []string{"encode: " + err.Error()}
		}
		return append(JSONDiff(body, out.Body), unfounded(warnings)...)
	})
}

// spoken is the variant of a dialect that a request was recorded in.
func spoken(path string) string {
	if strings.HasSuffix(path, ":predict") {
		return "predict"
	}
	return ""
}

// LawEmbed4Request tests this: what differs after a request went through the dialect
// is what the warnings say. The error is that of a format that cannot carry it.
func LawEmbed4Request(to dialect.Dialect, req *scri.EmbedRequest) ([]string, error) {
	e := to.(dialect.Embedder) //nolint:forcetypeassert // the caller has looked
	out, warnings, err := e.EncodeEmbedRequest(req, target(req.Model))
	if err != nil {
		if scri.AsError(err).Kind != scri.ErrUnsupported {
			return []string{"encode: " + err.Error()}, nil
		}
		return nil, err
	}
	z, err := e.DecodeEmbedRequest(EmbedIncoming(to, out.Path, out.Body))
	if err != nil {
		return []string{"what was encoded is no valid request: " + err.Error()}, nil //nolint:nilerr // it is the finding
	}
	problems := Match(differences(embedRequestFields(req), embedRequestFields(z)), warnings)
	return append(problems, prefixed("again ", LawEmbed1Request(to, out.Path, out.Body))...), nil
}

// LawEmbed1Response tests this: decode then encode gives the same JSON value.
func LawEmbed1Response(d dialect.Dialect, path string, req *scri.EmbedRequest, a *dialect.Answer) []string {
	return guard(func() []string {
		e := d.(dialect.Embedder) //nolint:forcetypeassert // the caller has looked
		r, err := e.DecodeEmbedResponse(a, req)
		if err != nil {
			return []string{"decode: " + err.Error()}
		}
		b, warnings, err := e.EncodeEmbedResponse(nil, &dialect.Incoming{Route: EmbedRoute(d, path), Embed: req}, r)
		if err != nil {
			return []string{"encode: " + err.Error()}
		}
		return append(JSONDiff(a.Body, b), unfounded(warnings)...)
	})
}

// LawEmbed4Response tests this: what differs after vectors went to a client of the
// dialect is what the warnings say. The error is that of vectors which such a client
// cannot be given.
func LawEmbed4Response(to dialect.Dialect, req *scri.EmbedRequest, r *scri.EmbedResponse) ([]string, error) {
	e := to.(dialect.Embedder) //nolint:forcetypeassert // the caller has looked
	out, _, err := e.EncodeEmbedRequest(req, target(req.Model))
	if err != nil {
		return nil, err
	}
	asked, err := e.DecodeEmbedRequest(EmbedIncoming(to, out.Path, out.Body))
	if err != nil {
		return nil, err
	}
	in := EmbedIncoming(to, out.Path, out.Body)
	in.Embed = asked
	b, warnings, err := e.EncodeEmbedResponse(nil, in, r)
	if err != nil {
		return nil, err
	}
	a := &dialect.Answer{Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: b, Target: target(r.Model)}
	z, err := e.DecodeEmbedResponse(a, asked)
	if err != nil {
		return []string{"what was encoded is no answer: " + err.Error()}, nil //nolint:nilerr // it is the finding
	}
	before, after := embedResponseFields(r), embedResponseFields(z)
	for _, path := range []string{"/model", "/id"} { // the first is known from what was asked, the second is the teller's own business
		if after[path] == "" {
			delete(before, path)
		}
	}
	return Match(differences(before, after), warnings), nil
}

// differences compares what two values say, place by place.
func differences(before, after map[string]string) (list []Difference) {
	names := maps.Clone(before)
	maps.Copy(names, after)
	for _, path := range slices.Sorted(maps.Keys(names)) {
		b, inB := before[path]
		a, inA := after[path]
		from := len(list)
		switch {
		case !inA:
			list = append(list, Difference{Path: path, Before: b})
		case !inB:
			list = append(list, Difference{To: path, After: a})
		case a != b:
			list = append(list, Difference{Path: path, To: path, Before: b, After: a})
		}
		for i := from; i < len(list); i++ {
			if strings.HasPrefix(b+a, string(scri.PartText)+" ") { // of texts that are joined
				list[i].part, list[i].kind = true, string(scri.PartText)
			}
		}
	}
	return list
}

// embedRequestFields is all that a request says, by its place.
func embedRequestFields(r *scri.EmbedRequest) map[string]string {
	f := map[string]string{}
	put := func(path, v string) {
		if v != "" {
			f[path] = v
		}
	}
	put("/task", r.Task)
	put("/truncate", r.Truncate)
	put("/user", r.User)
	if r.Dimensions != nil {
		put("/dimensions", strconv.FormatInt(*r.Dimensions, 10))
	}
	if !dialect.Derived(r.Encodings) { // the others are made of one another
		put("/encoding", strings.Join(r.Encodings, " "))
	}
	for i := range r.Input {
		in := &r.Input[i]
		path := "/input/" + strconv.Itoa(i)
		put(path+"/title", in.Title.String())
		if in.Tokens != nil {
			put(path+"/tokens", canonical(in.Tokens))
		}
		parts := in.Parts
		if parts == nil && in.Tokens == nil {
			parts = []scri.Part{{Kind: scri.PartText, Text: in.Text}}
		}
		for j := range parts {
			p := &parts[j]
			at := path + "/content/" + strconv.Itoa(j)
			f[at] = string(p.Kind) + " " + p.Text.String() + string(p.Raw)
			if m := p.Media; m != nil {
				f[at] += m.Type + " " + m.Data.String() + m.URL.String() + m.Text.String() + m.FileID
			}
			members(f, at, p.Ext)
		}
		members(f, path, in.Ext)
	}
	members(f, "", r.Ext)
	return f
}

// embedResponseFields is all that an answer says, its vectors as numbers.
func embedResponseFields(r *scri.EmbedResponse) map[string]string {
	f := map[string]string{}
	if r.Model != "" {
		f["/model"] = r.Model
	}
	if r.ID != "" {
		f["/id"] = r.ID
	}
	if u := r.Usage; u != nil && u.Input != nil {
		f["/usage/input_tokens"] = strconv.FormatInt(*u.Input, 10)
		if u.Estimated {
			f["/usage/estimated"] = "true"
		}
	}
	for i := range r.Embeddings {
		v := &r.Embeddings[i]
		numbers := "/embeddings/" + strconv.Itoa(v.Index)
		if !dialect.Derived([]string{v.Encoding}) { // the others say the same
			numbers += "/" + v.Encoding
		}
		f[numbers] = shownVector(v)
		members(f, "/embeddings/"+strconv.Itoa(i), v.Ext)
	}
	members(f, "", r.Ext)
	return f
}

// shownVector is a vector as numbers where it can be had so.
func shownVector(v *scri.Embedding) string {
	var w wire.Writer
	if _, err := dialect.WriteVector(&w, v, scri.EncodingFloat); err != nil {
		return v.Encoding + " " + string(v.Values)
	}
	return canonical(w.B)
}

// members are those of an Ext that say something.
func members(f map[string]string, path string, x *scri.Ext) {
	if x == nil || len(x.Members) == 0 {
		return
	}
	s := wire.NewScanner(x.Members)
	for name := range s.Members() {
		if s.Kind() != wire.Null && !dialect.IsSlight(x, name) {
			f[path+"/ext/"+dialect.Escape(name)] = canonicalSaid(s.Raw())
		}
	}
	if err := s.Err(); err != nil {
		f[path+"/ext"] = fmt.Sprint(err)
	}
}

// embedded is what a hand-written example of vectors holds.
type embedded struct {
	Path    string          `json:"path"` // "" = the dialect's usual one
	Request json.RawMessage `json:"request"`
	Answer  json.RawMessage `json:"answer"`
}

// translateEmbed shows what the dialect makes of a request for vectors and of its
// answer; "" where it has none.
func (c *Case) translateEmbed(from, to dialect.Dialect) (string, error) {
	f, ok := from.(dialect.Embedder)
	e, knows := to.(dialect.Embedder)
	if !ok || !knows {
		return "", nil
	}
	x, err := c.Exchange()
	if err != nil {
		return "", err
	}
	req, err := f.DecodeEmbedRequest(EmbedIncoming(from, x.Path, x.Request))
	if err != nil {
		return "", err
	}
	resp, err := f.DecodeEmbedResponse(&dialect.Answer{Status: http.StatusOK, Header: http.Header{}, Body: x.Body, Target: target(req.Model)}, req)
	if err != nil {
		return "", err
	}
	out, warnings, err := e.EncodeEmbedRequest(req, target(req.Model))
	if err != nil {
		return "refused: " + err.Error() + "\n", nil //nolint:nilerr // it is shown
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n%s\n", out.Method, out.Path, Pretty(out.Body))
	told(&b, "", warnings)
	in := EmbedIncoming(to, out.Path, out.Body)
	if in.Embed, err = e.DecodeEmbedRequest(in); err != nil {
		return "", err
	}
	answer, warnings, err := e.EncodeEmbedResponse(nil, in, resp)
	if err != nil {
		return b.String() + "\nrefused: " + err.Error() + "\n", nil //nolint:nilerr // it is shown
	}
	fmt.Fprintf(&b, "\n%s\n", Pretty(answer))
	told(&b, "", warnings)
	return b.String(), nil
}
