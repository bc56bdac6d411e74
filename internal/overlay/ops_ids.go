package overlay

import (
	"crypto/sha256"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/internal/wire"
)

// idRewriter maps ids that a target refuses to ones that it takes, the same way
// wherever they stand.
type idRewriter struct {
	paths    []*path
	fits     *regexp.Regexp // nil = any
	max      int            // bytes; 0 = no bound
	class    *regexp.Regexp // one character that may stand in an id
	stand    string         // in place of one that may not
	strategy string
	length   int // of a hash
}

// reversal undoes a mapping in the answer.
type reversal struct {
	response []*path
	names    []string // last names of those paths: where ids stand in events of a stream
}

// strategies of id_rewrite.
func strategies() []string {
	return []string{"replace-invalid+collision-suffix", "replace-invalid+truncate-hash", "truncate-hash", "hash62"}
}

// buildIDRewrite: id_rewrite paths (pattern | max_length) strategy [reverse_in].
func buildIDRewrite(b *builder) {
	r := &idRewriter{paths: b.paths("paths"), fits: b.pattern("pattern"), strategy: b.word("strategy")}
	if v := b.opt("max_length"); v != nil {
		n, err := strconv.Atoi(v.text)
		if err != nil || n < 1 {
			b.failAt(v, "max_length: want a number above 0")
		}
		r.max = n
	}
	if b.err == nil && r.fits == nil && r.max == 0 {
		b.failAt(b.v, "want a pattern or a max_length")
	}
	if rest, ok := strings.CutPrefix(r.strategy, "hash62-"); ok {
		n, err := strconv.Atoi(rest)
		if err != nil || n < 4 || n > 40 {
			b.failAt(b.v.get("strategy"), "strategy: %q wants a length from 4 to 40 after hash62-", r.strategy)
		}
		r.strategy, r.length = "hash62", n
	}
	known := false
	for _, s := range strategies() {
		known = known || s == r.strategy
	}
	if b.err == nil && (!known || r.strategy == "hash62" && r.length == 0) {
		b.failAt(b.v.get("strategy"), "strategy: %q is not known; write hash62-N, %s", r.strategy, strings.Join(strategies()[:3], ", "))
	}
	r.bounds(b)
	if b.opt("reverse_in") != nil {
		b.step.remedy = b.reversal()
	}
	b.step.body = r.rewrite
}

// reversal reads where the answer repeats ids: response.PATH.
func (b *builder) reversal() *reversal {
	rev := &reversal{}
	for _, s := range b.texts("reverse_in") {
		rest, ok := strings.CutPrefix(s, "response.")
		p, err := compilePath(rest)
		if !ok || err != nil || p.last() == "" {
			b.failAt(b.v.get("reverse_in"), "reverse_in: %q is not response. and a path that ends in a name", s)
			return rev
		}
		rev.response = append(rev.response, p)
		rev.names = append(rev.names, p.last())
	}
	return rev
}

// bounds reads from the pattern which characters and lengths it takes. Strategies
// that mend an id need to know; a hash does not.
func (r *idRewriter) bounds(b *builder) {
	r.stand = "_"
	if b.err != nil || r.fits == nil {
		return
	}
	if r.strategy == "hash62" {
		if !r.takes(hash62("x", r.length)) {
			b.failAt(b.v.get("strategy"), "strategy: what it makes does not fit the pattern either")
		}
		return
	}
	if m := classForm.FindStringSubmatch(r.fits.String()); m != nil {
		class, err := regexp.Compile("^" + m[1] + "$")
		if err != nil {
			b.failAt(b.v.get("pattern"), "pattern: %v", err)
			return
		}
		r.class, r.stand = class, "_"
		for _, c := range []string{"_", "-", "x", "X", "0"} {
			if class.MatchString(c) {
				r.stand = c
				break
			}
		}
		if m[3] == "" && !strings.Contains(r.fits.String(), ",}") {
			m[3] = m[2]
		}
		if limit, err := strconv.Atoi(m[3]); err == nil && (r.max == 0 || limit < r.max) {
			r.max = limit
		}
		return
	}
	b.failAt(b.v.get("pattern"), "pattern: %q is not one class of characters, repeated, such as ^[a-z0-9]{1,64}$; use the strategy hash62-N", r.fits)
}

// classForm is one class of characters, repeated.
var classForm = regexp.MustCompile(`^\^(\[[^\]]+\]|\\w)(?:\+|\*|\{(\d+)(?:,(\d*))?\})?\$$`)

// rewrite maps all ids that do not fit.
func (r *idRewriter) rewrite(j *job) {
	type spot struct {
		n  *node
		id string
	}
	var spots []spot
	used := map[string]bool{}
	for _, p := range r.paths {
		for _, n := range j.t.find(nil, j.t.root, p.segs) {
			if n.kind == wire.String && n.parent != nil && j.ok(n) {
				s := spot{n, n.text()}
				spots = append(spots, s)
				used[s.id] = true
			}
		}
	}
	to := map[string]string{}
	for _, s := range spots {
		if r.takes(s.id) {
			continue
		}
		id, seen := to[s.id]
		if !seen {
			id = r.mend(s.id, used)
			to[s.id], used[id] = id, true
			if j.step.remedy != nil {
				j.run.rewrote(id, s.id)
			}
		}
		j.t.replace(s.n, quote(id))
		j.did = true
	}
}

func (r *idRewriter) takes(id string) bool {
	return (r.fits == nil || r.fits.MatchString(id)) && (r.max == 0 || len(id) <= r.max)
}

// mend makes an id that fits and is not used yet.
func (r *idRewriter) mend(id string, used map[string]bool) string {
	if r.strategy == "hash62" {
		return fresh(id, used, func(s string) string { return hash62(s, r.length) })
	}
	var b strings.Builder
	for _, c := range id {
		if s := string(c); strings.HasPrefix(r.strategy, "truncate") || r.class == nil || r.class.MatchString(s) {
			b.WriteRune(c)
		} else {
			b.WriteString(r.stand)
		}
	}
	out := b.String()
	tail := r.stand + hash62(id, 8)
	if r.max > 0 && len(out) > r.max {
		if out = cut(out, r.max-len(tail)) + tail; !r.takes(out) {
			out = cut(b.String(), r.max)
		}
	}
	if !used[out] && out != "" {
		return out
	}
	for i := 2; ; i++ {
		try := r.suffixed(out, r.stand+strconv.Itoa(i))
		if !r.takes(try) { // no digits
			try = r.suffixed(out, strings.Repeat(r.stand, i))
		}
		if !used[try] || i > len(used)+2 {
			return try
		}
	}
}

func (r *idRewriter) suffixed(s, end string) string {
	if r.max > 0 && len(s)+len(end) > r.max {
		s = cut(s, r.max-len(end))
	}
	return s + end
}

func cut(s string, n int) string {
	s = s[:max(0, min(n, len(s)))]
	return strings.ToValidUTF8(s, "")
}

func fresh(id string, used map[string]bool, f func(string) string) string {
	for i := 0; ; i++ {
		s := id
		if i > 0 {
			s += "#" + strconv.Itoa(i)
		}
		if out := f(s); !used[out] {
			return out
		}
	}
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// hash62 is n characters 0-9, A-Z, a-z that depend on s alone.
func hash62(s string, n int) string {
	b := make([]byte, 0, n)
	for sum := sha256.Sum256([]byte(s)); ; sum = sha256.Sum256(sum[:]) {
		for _, c := range sum {
			if len(b) == n {
				return string(b)
			}
			if c < 248 { // evenly
				b = append(b, base62[c%62])
			}
		}
	}
}

// undo puts the ids back that the client knows, in a whole answer or an event.
func (r *reversal) undo(j *job, stream bool) {
	if len(j.run.ids) == 0 {
		return
	}
	if !stream {
		for _, p := range r.response {
			for _, n := range j.t.find(nil, j.t.root, p.segs) {
				r.undoOne(j, n)
			}
		}
		return
	}
	r.search(j, j.t.root)
}

func (r *reversal) undoOne(j *job, n *node) {
	if n.kind != wire.String {
		return
	}
	if old, ok := j.run.ids[n.text()]; ok {
		j.t.replace(n, quote(old))
	}
}

// search looks for the ids in an event, whose shape differs from the answer's:
// they stand under the same names.
func (r *reversal) search(j *job, n *node) {
	for _, m := range append([]member(nil), j.t.object(n)...) {
		if slices.Contains(r.names, m.name) {
			r.undoOne(j, m.value)
		}
		r.search(j, m.value)
	}
	for _, e := range j.t.elements(n) {
		r.search(j, e)
	}
}
