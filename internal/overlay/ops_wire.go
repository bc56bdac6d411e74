package overlay

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// dialectWord reads the name of a dialect, "" when the key is absent.
func (b *builder) dialectWord(key string) string {
	v := b.opt(key)
	if v == nil {
		return ""
	}
	d := canonicalDialect(b.text(key))
	if b.err == nil && !slices.Contains(dialects(), d) {
		b.failAt(v, "%s: dialect %q is not known%s", key, d, suggest(d, dialects()))
	}
	return d
}

// header reads the name of a header that may be written.
func (b *builder) header() string {
	name := b.word("header")
	if b.err != nil {
		return ""
	}
	if !httpguts.ValidHeaderFieldName(name) || framing(name) {
		b.failAt(b.v.get("header"), "header: %q cannot be written", name)
		return ""
	}
	if credential(name) {
		b.step.personal = "headers that prove who asks"
	}
	return http.CanonicalHeaderKey(name)
}

// framing reports whether a header belongs to the transport.
func framing(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Host", "Connection", "Content-Length", "Transfer-Encoding", "Content-Encoding", "Accept-Encoding", "Upgrade", "Te", "Trailer", "Expect":
		return true
	default:
		return false
	}
}

// credential reports whether a header, by its name, proves who asks.
func credential(name string) bool {
	name = strings.ToLower(name)
	for _, part := range []string{"authorization", "api-key", "apikey", "token", "secret", "cookie", "signature", "credential", "x-amz-", "password"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// buildHeaderSet: header_set header value [if_absent].
func buildHeaderSet(b *builder) {
	name, value, absent := b.header(), b.text("value"), b.flag("if_absent")
	if b.need("value"); b.err == nil && !httpguts.ValidHeaderFieldValue(value) {
		b.failAt(b.v.get("value"), "value: cannot be sent in a header")
	}
	b.step.constant = true
	b.step.headers = func(j *job, h http.Header) {
		old := h.Values(name)
		if absent && len(old) > 0 || len(old) == 1 && old[0] == value {
			return
		}
		h[name] = []string{value}
		j.did = true
	}
}

// buildHeaderDrop: header_drop header.
func buildHeaderDrop(b *builder) {
	name := b.header()
	b.step.headers = func(j *job, h http.Header) {
		if len(h.Values(name)) > 0 {
			h.Del(name)
			j.tell(scri.WarnDropped, "/header/"+name, nil, nil)
			j.did = true
		}
	}
}

// buildHeaderTokenDrop: header_token_drop header token.
func buildHeaderTokenDrop(b *builder) {
	name, tokens := b.header(), b.texts("token")
	if b.need("token"); b.err == nil && len(tokens) == 0 {
		b.failAt(b.v.get("token"), "token: say which")
	}
	b.step.headers = func(j *job, h http.Header) {
		var keep []string
		dropped := false
		for _, line := range h.Values(name) {
			for tok := range strings.SplitSeq(line, ",") {
				tok = strings.TrimSpace(tok)
				if slices.ContainsFunc(tokens, func(p string) bool { return glob(strings.ToLower(p), strings.ToLower(tok)) }) {
					j.tell(scri.WarnDropped, "/header/"+name, quote(tok), nil)
					dropped = true
				} else if tok != "" {
					keep = append(keep, tok)
				}
			}
		}
		if !dropped {
			return
		}
		j.did = true
		if h.Del(name); len(keep) > 0 {
			h[name] = []string{strings.Join(keep, ",")}
		}
	}
}

// buildPath: path to [from] [dialect]. from is the end of the path; without it the
// whole path changes.
func buildPath(b *builder) {
	from, to, dialect := b.text("from"), b.word("to"), b.dialectWord("dialect")
	if b.err == nil && (!strings.HasPrefix(to, "/") || strings.ContainsAny(to, "?# ") || strings.Contains(to, "..")) {
		b.failAt(b.v.get("to"), "to: %q is no path", to)
	}
	if b.err == nil && from != "" && !strings.HasPrefix(from, "/") {
		b.failAt(b.v.get("from"), "from: %q is no path", from)
	}
	if dialect != "" {
		b.step.personal = "a dialect"
	}
	b.step.route = func(j *job, r *Request) {
		head, ok := strings.CutSuffix(r.Path, from)
		if !ok {
			return
		}
		if from == "" {
			head = ""
		}
		j.did = r.Path != head+to
		r.Path = head + to
		if j.did && dialect != "" && dialect != j.run.plan.target.Dialect {
			j.run.dialect, j.run.moved = dialect, true
		}
	}
}

// buildQuerySet: query_set param value.
func buildQuerySet(b *builder) {
	param, value := b.word("param"), b.text("value")
	b.need("value")
	if credential(param) || param == "key" {
		b.step.personal = "parameters that prove who asks"
	}
	pair := url.QueryEscape(param) + "=" + url.QueryEscape(value)
	b.step.route = func(j *job, r *Request) {
		q, err := setParam(r.Query, param, pair)
		if err == nil && q != r.Query {
			r.Query, j.did = q, true
		}
	}
}

// setParam sets one parameter, by its escaped pair, and leaves the others as they are
// written.
func setParam(query, param, pair string) (string, error) {
	if query == "" {
		return pair, nil
	}
	parts := strings.Split(query, "&")
	out, done := parts[:0], false
	for _, p := range parts {
		key, _, _ := strings.Cut(p, "=")
		name, err := url.QueryUnescape(key)
		if err != nil {
			return "", fmt.Errorf("parameters of the address: %w", err)
		}
		switch {
		case name != param:
			out = append(out, p)
		case !done:
			out, done = append(out, pair), true
		}
	}
	if !done {
		out = append(out, pair)
	}
	return strings.Join(out, "&"), nil
}

// baseRewrite is what base_url does: an address in place of another.
type baseRewrite struct{ from, to string }

// buildBaseURL: base_url from to. It acts when a provider is built, on all of
// its requests, so no request can be asked about.
func buildBaseURL(b *builder) {
	from, to := b.word("from"), b.word("to")
	for _, key := range []string{"from", "to"} {
		if v := b.v.get(key); b.err == nil {
			if u, err := url.Parse(v.text); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
				b.failAt(v, "%s: %q is no address like https://host/v1", key, v.text)
			}
		}
	}
	if b.err == nil && (b.step.when != nil || len(b.step.models) > 0) {
		b.failAt(b.v, "an address is the provider's: no models and no when")
	}
	b.step.personal = "an address"
	b.step.base = &baseRewrite{from, to}
}

// buildModelAlias: model_alias from to.
func buildModelAlias(b *builder) {
	b.need("from")
	from, to := b.globs("from"), b.word("to")
	model := mustPath("model")
	b.step.route = func(j *job, r *Request) {
		if !from.fit(r.Model) || r.Model == to {
			return
		}
		old := r.Model
		if n := j.t.one(model); n != nil && n.kind == wire.String && n.text() == old {
			j.t.replace(n, quote(to))
		}
		seg := "/" + url.PathEscape(old)
		for _, end := range []string{"/", ":"} { // /model/NAME/converse, /models/NAME:generateContent
			r.Path = strings.Replace(r.Path, seg+end, "/"+url.PathEscape(to)+end, 1)
		}
		r.Model = to
		j.tell(scri.WarnChanged, "/model", quote(old), quote(to))
		j.did = true
	}
}
