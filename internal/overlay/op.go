package overlay

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/scri"
)

// step is one op, compiled.
type step struct {
	name     string
	detail   string // what warnings say: which overlay and op
	at       At
	models   globs
	scope    scope
	when     *cond
	fallback bool
	stayPut  bool   // a second choice of its own accord: fills only what is absent
	personal string // what it writes that only people may
	constant bool   // of headers: writes the same into each request, and tells nothing

	body    func(*job)              // request, response, stream
	headers func(*job, http.Header) // headers
	route   func(*job, *Request)    // path
	event   func(*job, *frame)      // stream, beside the body
	base    *baseRewrite
	remedy  *reversal // what the answer must undo, see id_rewrite
	echo    *echo
	recall  *recall
}

// scope narrows one op beside its models.
type scope struct {
	provider globs
	base     string
}

func readScope(s string) (scope, bool) {
	key, value, _ := strings.Cut(s, "=")
	switch {
	case key == "deployment":
		return scope{}, true
	case key == "provider" && value != "":
		return scope{provider: globs{strings.ToLower(value)}}, true
	case key == "base_url" && value != "":
		return scope{base: value}, true
	default:
		return scope{}, false
	}
}

func (s *step) fits(t *Target) bool {
	return s.models.fit(t.Model) && baseFits(s.scope.base, t.BaseURL) &&
		(s.scope.provider == nil || s.scope.provider.fit(t.Provider) || s.scope.provider.fit(t.Entry))
}

// builder compiles the arguments of one op into a step.
type builder struct {
	*args
	step   *step
	origin Origin
	facts  *[]fact
}

// opDef is one op of the vocabulary.
type opDef struct {
	at    []At // where it may act; the first where it does unless said otherwise
	own   bool // it has a value that conditions may ask
	build func(*builder)
}

// defs is the vocabulary.
func defs() map[string]opDef {
	body := []At{AtRequest, AtResponse, AtStream}
	request, answer, stream := []At{AtRequest}, []At{AtResponse, AtStream}, []At{AtStream}
	headers, path := []At{AtHeaders}, []At{AtPath}
	return map[string]opDef{
		"rename":                 {at: request, own: true, build: buildRename},
		"move":                   {at: request, own: true, build: buildMove},
		"wrap":                   {at: request, own: true, build: buildWrap},
		"drop":                   {at: request, own: true, build: buildDrop},
		"drop_item":              {at: request, own: true, build: buildDropItem},
		"set":                    {at: request, own: true, build: buildSet},
		"map_enum":               {at: body, own: true, build: buildMapEnum},
		"map_role":               {at: request, own: true, build: buildMapRole},
		"clamp":                  {at: request, own: true, build: buildClamp},
		"constraint":             {at: request, build: buildConstraint},
		"exclusive":              {at: request, build: buildExclusive},
		"convert":                {at: body, own: true, build: buildConvert},
		"schema_drop":            {at: request, own: true, build: buildSchemaDrop},
		"schema_set":             {at: request, own: true, build: buildSchemaSet},
		"schema_rewrite":         {at: request, own: true, build: buildSchemaRewrite},
		"id_rewrite":             {at: request, own: true, build: buildIDRewrite},
		"echo":                   {at: request, build: buildEcho},
		"append_message":         {at: request, build: buildAppendMessage},
		"reorder":                {at: request, build: buildReorder},
		"pair_tool_results":      {at: request, build: buildPairToolResults},
		"inject_schema_prompt":   {at: request, build: buildInjectSchemaPrompt},
		"inline_media":           {at: request, own: true, build: buildInlineMedia},
		"force_stream_aggregate": {at: request, build: buildForceStream},
		"dialect":                {at: request, build: buildDialect},
		"header_set":             {at: headers, build: buildHeaderSet},
		"header_drop":            {at: headers, build: buildHeaderDrop},
		"header_token_drop":      {at: headers, build: buildHeaderTokenDrop},
		"path":                   {at: path, build: buildPath},
		"query_set":              {at: path, build: buildQuerySet},
		"base_url":               {at: path, build: buildBaseURL},
		"model_alias":            {at: path, build: buildModelAlias},
		"response_rename":        {at: answer, own: true, build: buildResponseRename},
		"response_default":       {at: answer, own: true, build: buildResponseDefault},
		"stream_accept":          {at: stream, build: buildStreamAccept},
		"stream_ignore":          {at: stream, build: buildStreamIgnore},
		"stream_rename":          {at: stream, build: buildStreamRename},
		"stream_rekey":           {at: stream, build: buildStreamRekey},
		"stream_synthesize":      {at: stream, build: buildStreamSynthesize},
		"stream_error":           {at: stream, build: buildStreamError},
		"stream_end":             {at: stream, build: buildStreamEnd},
		"none":                   {at: []At{AtRequest, AtHeaders, AtPath, AtResponse, AtStream}, build: buildNone},
	}
}

func opNames() []string { return slices.Sorted(maps.Keys(defs())) }

// buildNone is the op that changes nothing: its action is for people.
func buildNone(b *builder) { b.word("action") }

// job is one overlay at work on one document.
type job struct {
	run   *Run
	t     *tree
	o     *Overlay
	facts []bool
	step  *step
	frame *frame   // of streams
	was   [][]byte // what the overlay's ops replaced so far, where a condition asks
	did   bool     // the step changed something
	ahead bool     // the step before did
}

// ok asks the step's condition about a value, nil for one that is absent.
func (j *job) ok(n *node) bool { return j.step.when.holds(j, n) }

// warn tells of something that the client asked for and that goes otherwise.
func (j *job) warn(code string, n *node, from, to []byte) {
	if j.step.at == AtRequest {
		j.t.text = n.appendPointer(j.t.text)
		j.note(code, "", from, to)
	}
}

// warnAt is warn for a value that a path has led to.
func (j *job) warnAt(code string, p *path, n *node, from, to []byte) {
	if p.pointer == "" || j.step.at != AtRequest {
		j.warn(code, n, from, to)
		return
	}
	j.note(code, p.pointer, from, to)
}

// tell is warn for something outside of the document. path must not lie in what was
// sent, whose memory is used again.
func (j *job) tell(code, path string, from, to []byte) { j.note(code, path, from, to) }

// note is a warning. Its texts lie one behind the other in the text of all, but for a
// path that is known beforehand.
type note struct {
	code, detail, fixed string
	path, from, to      int // where each ends
}

func (j *job) note(code, fixed string, from, to []byte) {
	t := j.t
	n := note{code: code, detail: j.step.detail, fixed: fixed, path: len(t.text)}
	t.text = appendScalar(t.text, from)
	n.from = len(t.text)
	t.text = appendScalar(t.text, to)
	n.to = len(t.text)
	t.notes = append(t.notes, n)
}

// warnings makes warnings of the notes. Their texts share one string.
func (t *tree) warnings() []scri.Warning {
	if len(t.notes) == 0 {
		return nil
	}
	list, s, at := make([]scri.Warning, len(t.notes)), string(t.text), 0
	for i := range t.notes {
		n, w := &t.notes[i], &list[i]
		w.Code, w.Detail, w.Path, w.From, w.To = n.code, n.detail, n.fixed, s[n.path:n.from], s[n.from:n.to]
		if n.fixed == "" {
			w.Path = s[at:n.path]
		}
		at = n.to
	}
	return list
}

// longest is how much of a value a warning repeats.
const longest = 64

// appendScalar appends a short value as a warning tells it; texts that may be
// somebody's are longer, and lists and objects are not told at all.
func appendScalar(b, raw []byte) []byte {
	if len(raw) == 0 || len(raw) > longest || raw[0] == '{' || raw[0] == '[' {
		return b
	}
	return append(b, unquoted(raw)...)
}

func unquoted(raw []byte) []byte {
	if len(raw) > 1 && raw[0] == '"' {
		if bytes.IndexByte(raw, '\\') < 0 {
			return raw[1 : len(raw)-1]
		}
		return appendUnquote(raw)
	}
	return raw
}

// replaced remembers a value that an op took away.
func (j *job) replaced(n *node) {
	if j.o.was && n != nil {
		j.was = append(j.was, n.json())
	}
}
