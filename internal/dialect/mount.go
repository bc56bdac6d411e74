package dialect

import (
	"net/http"
	"strings"
)

// Mount gives each route its handler by calling handle once for each method and
// pattern. Routes that differ in their Verb alone share a pattern, which must end
// in a wildcard {name...}: of the path value of that name, what follows the last
// colon is the verb, and the handler finds the value without it. A verb that no
// route has is left to nowhere.
func Mount(routes []Route, of func(Route) http.Handler, nowhere http.Handler, handle func(method, pattern string, h http.Handler)) {
	type place struct{ method, pattern string }
	var order []place
	verbs := map[place]*byVerb{}
	for _, r := range routes {
		if r.Verb == "" {
			handle(r.Method, r.Pattern, of(r))
			continue
		}
		at := place{r.Method, r.Pattern}
		v := verbs[at]
		if v == nil {
			v = &byVerb{value: lastWildcard(r.Pattern), nowhere: nowhere, handlers: map[string]http.Handler{}}
			verbs[at] = v
			order = append(order, at)
		}
		v.handlers[r.Verb] = of(r)
	}
	for _, at := range order {
		handle(at.method, at.pattern, verbs[at])
	}
}

// byVerb is what stands at a pattern of several verbs.
type byVerb struct {
	value    string // name of the path value that ends in the verb
	handlers map[string]http.Handler
	nowhere  http.Handler
}

// Takes reports whether a path ends in one of the verbs.
func (v *byVerb) Takes(path string) bool {
	return v.handlers[path[strings.LastIndexByte(path, ':')+1:]] != nil
}

func (v *byVerb) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.PathValue(v.value)
	if i := strings.LastIndexByte(path, ':'); i >= 0 {
		if h := v.handlers[path[i+1:]]; h != nil {
			r.SetPathValue(v.value, path[:i])
			h.ServeHTTP(w, r)
			return
		}
	}
	v.nowhere.ServeHTTP(w, r)
}

// lastWildcard is the name of the wildcard that a pattern ends in.
func lastWildcard(pattern string) string {
	i := strings.LastIndexByte(pattern, '{')
	if i < 0 {
		return ""
	}
	return strings.TrimSuffix(strings.TrimSuffix(pattern[i+1:], "}"), "...")
}
