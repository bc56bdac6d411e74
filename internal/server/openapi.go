package server

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// listed is a route as it is documented.
type listed struct {
	method, path string
	tag          string // the API that it belongs to
	summary      string
	streams      bool // may answer with a stream of events
	open         bool // whoever asks is told, key or not
	local        bool // on this machine alone
}

// list notes a route for the documentation. What it is called there is made of
// its pattern.
func (s *Server) list(l listed) {
	l.path = strings.NewReplacer("{$}", "", "...}", "}").Replace(l.path)
	s.table = append(s.table, l)
}

// listRoute notes a route of a dialect.
func (s *Server) listRoute(d dialect.Dialect, r dialect.Route) {
	l := listed{method: r.Method, path: r.Pattern, tag: d.Name(), summary: summary(r.Op), streams: r.Op == scri.OpChat && r.Stream != dialect.Never}
	if r.Verb != "" {
		l.path += ":" + r.Verb
	}
	s.list(l)
}

// summary says what an operation does, whatever the API.
func summary(op scri.Op) string {
	switch op {
	case scri.OpChat:
		return "Answer a conversation"
	case scri.OpCount:
		return "Count the tokens of a conversation"
	case scri.OpEmbed:
		return "Make vectors of texts"
	case scri.OpModels:
		return "List the models that can be asked for"
	case scri.OpModel:
		return "Tell about one model"
	case scri.OpInfo:
		return "Small facts about the runtime"
	case scri.OpKept:
		return "Answers that the gateway keeps"
	case scri.OpAudio:
		return "Speech, passed on to the provider that owns the model"
	case scri.OpImages:
		return "Images, passed on to the provider that owns the model"
	case scri.OpModerations:
		return "Moderation, passed on to the provider that owns the model"
	case scri.OpRerank:
		return "Rank documents, passed on to the provider that owns the model"
	case scri.OpFiles:
		return "Files that a provider keeps, passed on to it"
	case scri.OpBatches:
		return "Batches that a provider works on, passed on to it"
	default:
		return string(op)
	}
}

var pathParam = regexp.MustCompile(`\{([A-Za-z_]+)\}`)

// encodedOpenAPI describes the table of routes as OpenAPI 3.1. Bodies are those of
// each API's own documentation.
func (s *Server) encodedOpenAPI() []byte {
	type m = map[string]any
	paths := map[string]m{}
	var tags []string
	for _, l := range s.table {
		tags = append(tags, l.tag)
		op := m{"tags": []string{l.tag}, "summary": l.summary, "operationId": operationID(l)}
		var params []m
		for _, p := range pathParam.FindAllStringSubmatch(l.path, -1) {
			params = append(params, m{"name": p[1], "in": "path", "required": true, "schema": m{"type": "string"}})
		}
		if params != nil {
			op["parameters"] = params
		}
		if l.method == http.MethodPost || l.method == http.MethodPut {
			body := m{"application/json": m{"schema": m{"type": "object"}}}
			if strings.HasPrefix(l.path, configPath) {
				body = m{"application/toml": m{"schema": m{"type": "string"}}}
			}
			op["requestBody"] = m{"content": body}
		}
		content := m{"application/json": m{"schema": m{}}}
		if l.streams {
			content["text/event-stream"] = m{"schema": m{"type": "string"}}
		}
		op["responses"] = m{"200": m{"description": "The answer, in this API's words", "content": content}, "default": m{"description": "An error, in this API's words"}}
		switch {
		case l.open:
			op["security"] = []m{}
		case l.local:
			op["security"] = []m{{}}
			op["description"] = "On the gateway's own machine alone."
		}
		if paths[l.path] == nil {
			paths[l.path] = m{}
		}
		paths[l.path][strings.ToLower(l.method)] = op
	}
	slices.Sort(tags)
	var named []m
	for _, t := range slices.Compact(tags) {
		named = append(named, m{"name": t})
	}
	doc := m{
		"openapi": "3.1.0",
		"info": m{
			"title": "Aratta", "version": s.opt.Version, "license": m{"name": "MIT", "identifier": "MIT"},
			"description": "A local-first AI gateway. Each tag is an API; its bodies are as its own documentation has them. Callers on the same machine need no key.",
		},
		"tags": named, "paths": paths, "security": []m{{}, {"bearer": []string{}}, {"key": []string{}}},
		"components": m{"securitySchemes": m{
			"bearer": m{"type": "http", "scheme": "bearer"}, "key": m{"type": "apiKey", "in": "header", "name": "x-api-key"},
		}},
	}
	b, err := json.Marshal(doc)
	if err != nil { // it holds nothing but texts
		return []byte("{}")
	}
	return append(b, '\n')
}

// operationID is unique, as an operation's method and path are.
func operationID(l listed) string {
	var b strings.Builder
	b.WriteString(strings.ToLower(l.method))
	for part := range strings.FieldsFuncSeq(l.path, func(r rune) bool { return strings.ContainsRune("/{}:_-.", r) }) {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}
