package app

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
)

var update = flag.Bool("update", false, "write the tables of the documents anew")

// keyTable is where a document has the table of a type's keys.
var keyTable = regexp.MustCompile(`(?s)<!-- keys of ([a-z]+\.[A-Za-z]+) -->\n.*?<!-- end of keys -->`)

// The tables of the keys are what the comments of their fields say.
func TestReference(t *testing.T) {
	found := map[string]bool{}
	for _, file := range []string{"docs/configuration.md", "docs/providers.md"} {
		text := document(t, file)
		want := keyTable.ReplaceAllStringFunc(text, func(s string) string {
			name := keyTable.FindStringSubmatch(s)[1]
			found[name] = true
			return fmt.Sprintf("<!-- keys of %s -->\n%s<!-- end of keys -->", name, keyRows(t, name))
		})
		if *update {
			if err := os.WriteFile(filepath.Join(dialecttest.Root(t), file), []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		} else if text != want {
			t.Errorf("%s does not say what the comments of the types say; write it anew with go test ./internal/app -run TestReference -update", file)
		}
	}
	for _, name := range structsOf(reflect.TypeFor[Config](), nil) {
		if !found[name] && name != "app.Config" && name != "app.RelayConfig" { // which hold tables alone
			t.Errorf("no document has the keys of %s", name)
		}
	}
}

// Every key of the contract is in a table, and is said to have no effect where
// that is so.
func TestReferenceOfContract(t *testing.T) {
	docs := document(t, "docs/configuration.md") + document(t, "docs/providers.md")
	for _, key := range keysIn(t, example(t, "config.toml")) {
		if !strings.Contains(docs, "`"+key+"`") {
			t.Errorf("%s is not documented", key)
		}
	}
	idle := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|.*\\| no effect yet: ")
	for _, key := range keysIn(t, unbuilt) {
		switch key {
		case "name", "models", "targets", "strategy", "weights", "hedge_after", "resume_streams", "enabled", "url":
			continue // of chains, or of tables of which some are built
		}
		if !slices.ContainsFunc(idle.FindAllStringSubmatch(docs, -1), func(m []string) bool { return m[1] == key }) {
			t.Errorf("%s has no effect yet, and no document says so", key)
		}
	}
}

// keysIn are the names of all values of a configuration.
func keysIn(t *testing.T, text string) []string {
	t.Helper()
	var top map[string]any
	if err := toml.Unmarshal([]byte(text), &top); err != nil {
		t.Fatal(err)
	}
	delete(top, "aliases") // whose names are the user's
	found := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, x := range v {
				if _, isTable := x.(map[string]any); !isTable {
					found[k] = true
				}
				walk(x)
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(top)
	return slices.Sorted(maps.Keys(found))
}

// structsOf lists the structs of which a configuration consists.
func structsOf(t reflect.Type, list []string) []string {
	switch t.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice:
		return structsOf(t.Elem(), list)
	case reflect.Struct:
		if slices.Contains(list, t.String()) || tomlName(t.Field(0)) == "" {
			return list
		}
		list = append(list, t.String())
		for f := range t.Fields() {
			list = structsOf(f.Type, list)
		}
		return list
	default:
		return list
	}
}

// keyRows is the table of a struct's keys.
func keyRows(t *testing.T, name string) string {
	t.Helper()
	pkg, typ, _ := strings.Cut(name, ".")
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dialecttest.Root(t), "internal", pkg, "config.go"), nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("| key | default | meaning |\n|---|---|---|\n")
	rows := 0
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || spec.Name.Name != typ {
			return true
		}
		for _, field := range spec.Type.(*ast.StructType).Fields.List {
			tag, err := strconv.Unquote(field.Tag.Value)
			if err != nil {
				t.Fatal(err)
			}
			key := reflect.StructTag(tag).Get("toml")
			says := strings.Join(strings.Fields(field.Doc.Text()), " ")
			if says == "" {
				t.Errorf("%s.%s has no comment that says what %s means", name, field.Names[0], key)
			}
			def := ""
			if rest, ok := strings.CutPrefix(says, "default "); ok {
				def, says, _ = strings.Cut(rest, ": ")
				def = "`" + def + "`"
			}
			says = strings.Replace(says, "not yet: ", "no effect yet: ", 1)
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", key, def, says)
			rows++
		}
		return false
	})
	if rows == 0 {
		t.Fatalf("there is no struct %s", name)
	}
	return b.String()
}
