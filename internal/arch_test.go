package internal_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/aratta-gateway/aratta"

// A house is a package with all that lies below it. It stands on a floor: it may
// import what stands lower, and neighbours on one floor do not know each other.
type house struct {
	path   string
	floor  int
	reason string
}

// The floors, top down. A new house gets its line here, with why it stands there.
var houses = []house{
	{"cmd/aratta", 7, "flags only; everything it does is in app"},
	{"internal/bench", 7, "a program of its own, which measures the built binary from outside"},
	{"internal/app", 6, "the one place that knows everybody, so that nobody else has to"},
	{"internal/server", 5, "the table of routes over the pipeline"},
	{"internal/dashboard", 5, "fed by the admin API like any other client, so it can be left out"},
	{"client", 5, "public: whoever imports it must not get the gateway with it"},
	{"internal/gateway", 4, "the order of the stages; the stages' knowledge is below"},
	{"internal/heal", 4, "watches the gateway through what it logs, never by calling it"},
	{"agent", 4, "public: speaks to any scri.Handler, so it must not know this gateway"},
	{"internal/route", 3, "decides where to go and knows nothing of what else is decided"},
	{"internal/policy", 3, "what may go where must not depend on prices or caches"},
	{"internal/cache", 3, "a stage of its own"},
	{"internal/ledger", 3, "a stage of its own"},
	{"internal/session", 3, "a stage of its own"},
	{"internal/provider", 2, "sends; whether it should was decided above"},
	{"internal/fetch", 2, "gets what requests name by address; whether it may was decided above"},
	{"internal/sim", 2, "stands in for providers, so it must not share their code"},
	{"internal/privacy", 2, "works on any text, whoever it goes to"},
	{"internal/dialect", 1, "pure translation: no network, no clock, no configuration"},
	{"internal/spelling", 1, "turns one text into another, whatever the keys mean"},
	{"internal/freeform", 1, "knows tools as SCRI has them, whoever offers them"},
	{"internal/mend", 1, "makes calls of texts, whoever wrote them"},
	{"internal/rule", 1, "evaluates conditions, whatever follows from them"},
	{"internal/relay", 1, "reads as much of a passing body as must be known, whoever passes it on"},
	{"internal/steward", 1, "starts what it is told, whatever is asked of it"},
	{"internal/tracing", 1, "tells a collector what it is told"},
	{"internal/telemetry", 1, "counts what it is told"},
	{"internal/corpus", 1, "reads what was recorded, whatever is made of it"},
	{"internal/overlay", 1, "patches on wire JSON, whatever the dialect"},
	{"internal/store", 1, "keeps what it is given"},
	{"internal/cluster", 1, "counters and locks, whatever they count"},
	{"scri", 0, "the language itself, public: it drags nothing along"},
	{"internal/discreet", 0, "looks at texts alone, whoever wrote them"},
	{"internal/reach", 0, "looks at addresses alone, whoever dials them"},
	{"internal/term", 0, "bounds work, whatever is done"},
	{"internal/sock", 0, "moves bytes, whoever speaks"},
	{"internal/journal", 0, "writes lines of a log, whatever they say"},
	{"internal/mortal", 0, "starts programs, whatever they are"},
	{"internal/nearest", 0, "compares names, whatever they name"},
	{"internal/wire", 0, "frames and JSON of any provider, so it knows none, nor the language"},
}

// Packages that only tests may import. Being support they may know more than
// the house they help to test, so the floors do not bind the tests that use them.
var support = []string{
	"internal/dialect/dialecttest",
	"internal/sock/socktest",
	"internal/store/storetest",
	"scri/scritest",
}

// What some houses may import beside their own floor's rule, where the list is
// closed. The standard library is always allowed.
var closed = map[string]struct {
	allowed []string
	reason  string
}{
	"scri":          {[]string{"github.com/go-json-experiment/json/jsontext"}, "the language is public and drags nothing along"},
	"client":        {[]string{module + "/scri"}, "public: a client of the wire protocol, not of our code"},
	"agent":         {[]string{module + "/scri"}, "public: speaks to any scri.Handler"},
	"internal/wire": {[]string{"github.com/go-json-experiment/json/jsontext", "golang.org/x/sys/cpu"}, "lowest floor: bytes only"},
}

type source struct {
	file    string // relative to the root, with slashes
	pkg     string // its folder
	test    bool
	lines   int
	syntax  *ast.File
	imports []string
}

func TestFloors(t *testing.T) {
	for _, s := range sources(t) {
		h, ok := houseOf(s.pkg)
		if !ok {
			if s.pkg != "internal" {
				t.Errorf("%s: package %s stands on no floor: give it a line in the table, with its reason", s.file, s.pkg)
			}
			continue
		}
		for _, imp := range s.imports {
			if rel, ours := strings.CutPrefix(imp, module+"/"); ours {
				if msg := mayImport(h, s, rel); msg != "" {
					t.Errorf("%s imports %s: %s", s.file, rel, msg)
				}
			}
			if c, ok := closed[h.path]; ok && !s.test && !isSupport(s.pkg) && !inside(strings.TrimPrefix(imp, module+"/"), h.path) &&
				strings.Contains(strings.SplitN(imp, "/", 2)[0], ".") && !slices.Contains(c.allowed, imp) {
				t.Errorf("%s imports %s: %s may not (%s)", s.file, imp, h.path, c.reason)
			}
		}
	}
}

// mayImport returns why a file may not import one of our packages, or "".
func mayImport(h house, s source, imp string) string {
	lenient := s.test || isSupport(s.pkg)
	switch {
	case (inside(imp, "internal/sim") || inside(imp, "internal/corpus")) && lenient:
		return "" // a simulated provider and recorded traffic serve tests on any floor
	case isSupport(imp) && !inside(s.pkg, imp):
		if lenient {
			return ""
		}
		return "it is test support"
	}
	to, ok := houseOf(imp)
	switch {
	case !ok:
		return "it stands on no floor"
	case to.path == h.path:
		return withinHouse(s, imp, lenient)
	case to.floor > h.floor:
		return fmt.Sprintf("floor %d does not know floor %d (%s: %s; %s: %s)", h.floor, to.floor, h.path, h.reason, to.path, to.reason)
	case to.floor == h.floor:
		return fmt.Sprintf("neighbours on floor %d do not know each other (%s: %s)", h.floor, h.path, h.reason)
	}
	return ""
}

// withinHouse: dialects meet in scri alone. Their folders know the package that
// defines what a dialect is, and only the table knows them.
func withinHouse(s source, imp string, lenient bool) string {
	const root = "internal/dialect"
	if !inside(s.pkg, root) || imp == root || s.pkg == imp || s.pkg == root+"/all" || lenient && imp == root+"/all" {
		return ""
	}
	if inside(imp, s.pkg) && s.pkg != root || inside(s.pkg, imp) {
		return "" // a dialect's own rooms
	}
	return "dialects meet in package scri only, and only internal/dialect/all knows them all"
}

func TestHouseRules(t *testing.T) {
	documented := map[string]bool{}
	packages := map[string]string{}
	for _, s := range sources(t) {
		name := s.syntax.Name.Name
		if !s.test {
			packages[s.pkg] = s.file
			documented[s.pkg] = documented[s.pkg] || s.syntax.Doc != nil
			if s.lines > 500 {
				t.Errorf("%s has %d lines: more than 500 is more than one thing", s.file, s.lines)
			}
		}
		if slices.Contains([]string{"util", "utils", "common", "helpers", "helper", "misc"}, strings.TrimSuffix(name, "_test")) {
			t.Errorf("%s: package %s is named after nothing", s.file, name)
		}
		for _, d := range s.syntax.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: init() does things that nobody asked for: register explicitly", s.file)
			}
		}
	}
	for pkg, file := range packages {
		if !documented[pkg] {
			t.Errorf("package %s (%s) has no package comment", pkg, file)
		}
	}
}

// TestFloorTable keeps the table honest: one line for each house, the highest first.
func TestFloorTable(t *testing.T) {
	seen := map[string]bool{}
	for i, h := range houses {
		if seen[h.path] || h.reason == "" {
			t.Errorf("%s is listed twice or without a reason", h.path)
		}
		seen[h.path] = true
		if i > 0 && h.floor > houses[i-1].floor {
			t.Errorf("%s stands above %s but is listed below it", h.path, houses[i-1].path)
		}
	}
}

func houseOf(pkg string) (house, bool) {
	for _, h := range houses {
		if inside(pkg, h.path) {
			return h, true
		}
	}
	return house{}, false
}

func inside(pkg, root string) bool { return pkg == root || strings.HasPrefix(pkg, root+"/") }

func isSupport(pkg string) bool {
	return slices.ContainsFunc(support, func(s string) bool { return inside(pkg, s) })
}

// sources parses every Go file of the module.
func sources(t *testing.T) []source {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	var list []source
	fset := token.NewFileSet()
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if file != root && (name[0] == '.' || name[0] == '_' || name == "testdata" || name == "vendor") {
				return fs.SkipDir
			}
			if _, err := os.Stat(filepath.Join(file, "go.mod")); err == nil && file != root {
				return fs.SkipDir // a module of its own
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		syntax, err := parser.ParseFile(fset, file, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		s := source{file: rel, pkg: path.Dir(rel), test: strings.HasSuffix(name, "_test.go"), syntax: syntax, lines: fset.File(syntax.Pos()).LineCount()}
		for _, i := range syntax.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			s.imports = append(s.imports, p)
		}
		list = append(list, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
