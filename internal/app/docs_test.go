package app

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/internal/provider"
)

// block is a fenced block of a document.
type block struct {
	file string
	line int
	lang string
	text string
	next string // the text of the block behind it
}

func (b *block) name() string { return fmt.Sprintf("%s:%d", b.file, b.line) }

// document is a page of the documentation, relative to the repository.
func document(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dialecttest.Root(t), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// blocks are the fenced blocks of a document.
func blocks(t *testing.T, file string) (list []*block) {
	t.Helper()
	var in *block
	for i, line := range strings.Split(document(t, file), "\n") {
		fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case isFence && in == nil:
			in = &block{file: file, line: i + 1, lang: fence}
			list = append(list, in)
		case isFence:
			in = nil
		case in != nil:
			in.text += line + "\n"
		}
	}
	for i := range len(list) - 1 {
		list[i].next = list[i+1].text
	}
	return list
}

// pages are all documents for users.
func pages(t *testing.T) []string {
	t.Helper()
	root := dialecttest.Root(t)
	list, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		list[i] = "docs/" + filepath.Base(list[i])
	}
	return append(list, "README.md", "README.ru.md", "CONTRIBUTING.md")
}

// curl does what the documents ask curl for, so that their tests need nothing
// but a shell. It prints the answer, and the status to where errors go.
func curl(args []string, out, errs io.Writer) error {
	method, url, body, ctype, file := "", "", "", "", ""
	header := http.Header{}
	head := false
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case a == "-s", a == "-N", a == "-sN":
		case a == "-i":
			head = true
		case a == "-X" || a == "-H" || a == "-d" || a == "-o" || a == "-T":
			if i++; i == len(args) {
				return fmt.Errorf("%s needs an argument", a)
			}
			switch a {
			case "-X":
				method = args[i]
			case "-d":
				body, ctype = args[i], "application/x-www-form-urlencoded"
			case "-o":
				file = args[i]
			case "-T":
				b, err := os.ReadFile(args[i])
				if err != nil {
					return err
				}
				method, body = http.MethodPut, string(b)
			default:
				k, v, _ := strings.Cut(args[i], ":")
				header.Set(k, strings.TrimSpace(v))
			}
		case strings.HasPrefix(a, "-"):
			return fmt.Errorf("the option %s is not known here; teach this test", a)
		default:
			url = a
		}
	}
	if method == "" {
		method = http.MethodGet
		if body != "" {
			method = http.MethodPost
		}
	}
	req, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header = header
	if ctype != "" && header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", ctype)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if head {
		_ = res.Header.Write(out) // so does what follows it
	}
	if file != "" {
		err = os.WriteFile(file, answer, 0o600)
	} else {
		_, err = out.Write(answer)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(errs, "\nHTTP %d\n", res.StatusCode)
	return err
}

var status = regexp.MustCompile(`(?m)^HTTP (\d+)$`)

// runCurls runs the curl blocks of a document against other addresses than those
// that stand in it.
func runCurls(t *testing.T, file, from, to string) {
	t.Helper()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell: ", err)
	}
	ran := 0
	for _, b := range blocks(t, file) {
		if b.lang != "sh" || !strings.Contains(b.text, "curl ") || !strings.Contains(b.text, from) {
			continue
		}
		ran++
		t.Run(b.name(), func(t *testing.T) {
			want := "2"
			if strings.HasPrefix(strings.TrimSpace(b.next), `{"error"`) {
				want = "4" // the block behind it shows the error
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			cmd := exec.CommandContext(ctx, shell, "-c", strings.ReplaceAll(b.text, from, to))
			cmd.Dir = t.TempDir()
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			all := status.FindAllSubmatch(out, -1)
			if len(all) != strings.Count(b.text, "curl ") {
				t.Errorf("%d answers:\n%s", len(all), out)
			}
			for _, m := range all {
				if !strings.HasPrefix(string(m[1]), want) {
					t.Errorf("status %s\n%s", m[1], out)
				}
			}
		})
	}
	if ran == 0 {
		t.Errorf("%s has no curl block for %s", file, from)
	}
}

// What the documents show with curl works, against the demo that they name.
func TestDocumentedRequests(t *testing.T) {
	p, err := startProcess(t.TempDir(), nil, "demo", "--port", "0", "--ollama", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	url, err := p.says(`its own API at http://(\S+)`)
	if err != nil {
		t.Fatal(err)
	}
	runCurls(t, "README.md", "127.0.0.1:8084", url)
	runCurls(t, "README.ru.md", "127.0.0.1:8084", url)
	runCurls(t, "docs/getting-started.md", "127.0.0.1:8084", url)
	runCurls(t, "docs/api.md", "127.0.0.1:8084", url)
}

// And against a gateway with a configuration of its own.
func TestDocumentedOperations(t *testing.T) {
	_, upstream := newGate(t)
	_, url := serveProcess(t, upstream, "")
	runCurls(t, "docs/operations.md", "http://127.0.0.1:8084", url)
}

// And against the simulator.
func TestDocumentedFaults(t *testing.T) {
	p, err := startProcess(t.TempDir(), nil, "sim", "--provider", "ollama=127.0.0.1:0", "--provider", "cloud:anthropic=127.0.0.1:0", "--control", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	addr, err := p.says(`control at http://(\S+)`)
	if err != nil {
		t.Fatal(err)
	}
	runCurls(t, "docs/simulator.md", "127.0.0.1:9900", addr)
}

// Every key is set where documents are built.
func allKeys(name string) (string, bool) {
	if strings.HasSuffix(name, "_KEY") || strings.HasSuffix(name, "_CREDENTIALS") {
		return "k", true
	}
	return "", false
}

// The TOML of the documents is a configuration that the gateway starts with.
func TestDocumentedConfiguration(t *testing.T) {
	ran := 0
	for _, file := range pages(t) {
		for _, b := range blocks(t, file) {
			if b.lang != "toml" {
				continue
			}
			ran++
			t.Run(b.name(), func(t *testing.T) {
				text := b.text
				for _, name := range []string{"local.ollama", "providers.anthropic", "providers.openai"} { // which fragments speak of
					if !strings.Contains(text, "["+name+"]") {
						text += "\n[" + name + "]\ndefault_model = \"m\"\n"
					}
				}
				s, err := load(t, text, allKeys)
				if err != nil {
					t.Fatal(err)
				}
				s.Warnings = slices.DeleteFunc(s.Warnings, func(w string) bool { return strings.Contains(w, "is not found, so it cannot be started") })
				if len(s.Off) > 0 || len(s.Warnings) > 0 {
					t.Errorf("off %v, warnings %v", s.Off, s.Warnings)
				}
			})
		}
	}
	if ran < 3 {
		t.Errorf("only %d blocks were found", ran)
	}
}

// The YAML of the page about the configuration is one, and the TOML behind it is
// what it is converted to.
func TestDocumentedSpellings(t *testing.T) {
	ran := 0
	for _, b := range blocks(t, "docs/configuration.md") {
		if b.lang != "yaml" {
			continue
		}
		ran++
		file := filepath.Join(t.TempDir(), "gateway.yaml")
		if err := os.WriteFile(file, []byte(b.text), 0o600); err != nil {
			t.Fatal(err)
		}
		text, err := Convert(file, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, body, _ := strings.Cut(string(text), "\n\n"); body != b.next {
			t.Errorf("%s is converted to\n%s", b.name(), body)
		}
		s, err := loadAs(t, "gateway.yaml", b.text, allKeys)
		if err != nil || len(s.Warnings) > 0 {
			t.Errorf("%s: %v, %v", b.name(), err, s)
		}
	}
	if ran == 0 {
		t.Error("no block was found")
	}
}

// The YAML of the documents is a catalogue file.
func TestDocumentedCatalogue(t *testing.T) {
	for _, b := range blocks(t, "docs/providers.md") {
		if b.lang != "yaml" {
			continue
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "acme.yaml"), []byte(b.text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := provider.Load(dir)
		if err != nil {
			t.Fatalf("%s: %v", b.name(), err)
		}
		if _, ok := c.Spec("acme"); !ok {
			t.Errorf("%s: nothing was read of it", b.name())
		}
	}
}

var (
	section  = regexp.MustCompile(`^## \[([a-z]+)\]$`)
	tableRow = regexp.MustCompile("^\\| `([a-z_]+)` \\| `([^`]+)` \\|")
)

// The keys in the tables exist, and take the defaults that stand beside them.
func TestDocumentedKeys(t *testing.T) {
	table, checked := "", 0
	for line := range strings.Lines(document(t, "docs/configuration.md")) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "## ") {
			table = ""
		}
		if m := section.FindStringSubmatch(line); m != nil {
			table = m[1]
		}
		m := tableRow.FindStringSubmatch(line)
		if m == nil || table == "" {
			continue
		}
		checked++
		if _, err := load(t, "["+table+"]\n"+m[1]+" = "+m[2]+"\n", allKeys); err != nil {
			t.Errorf("%s.%s = %s: %v", table, m[1], m[2], err)
		}
	}
	if checked < 8 {
		t.Errorf("only %d keys were found", checked)
	}
}

var (
	inline = regexp.MustCompile("`([^`\n]*\\baratta [^`\n]*)`")
	target = regexp.MustCompile(`^make ([a-z]+)`)
)

// The command lines in the documents exist, with their flags.
func TestDocumentedCommands(t *testing.T) {
	makefile := document(t, "Makefile")
	checked := 0
	for _, file := range pages(t) {
		var lines []string
		for _, b := range blocks(t, file) {
			if b.lang == "sh" {
				lines = append(lines, strings.Split(b.text, "\n")...)
			}
		}
		for _, m := range inline.FindAllStringSubmatch(document(t, file), -1) {
			lines = append(lines, m[1])
		}
		for _, line := range lines {
			line, _, _ = strings.Cut(line, " #")
			if m := target.FindStringSubmatch(line); m != nil {
				checked++
				if !strings.Contains(makefile, "\n"+m[1]+":") {
					t.Errorf("%s: %s: no such target", file, line)
				}
			}
			args := commandLine(line)
			if args == nil {
				continue
			}
			checked++
			if err := parses(args); err != nil {
				t.Errorf("%s: %s: %v", file, line, err)
			}
		}
	}
	if checked < 10 {
		t.Errorf("only %d command lines were found", checked)
	}
}

// commandLine is what stands behind aratta on a line, nil when another program
// is called.
func commandLine(line string) []string {
	words := strings.Fields(line)
	for len(words) > 0 && strings.Contains(words[0], "=") && !strings.HasPrefix(words[0], "-") {
		words = words[1:]
	}
	if len(words) == 0 || words[0] != "aratta" && words[0] != "bin/aratta" {
		return nil
	}
	// What stands for something of the reader's is no argument to check.
	return slices.DeleteFunc(words[1:], func(w string) bool { return strings.HasPrefix(w, "[") || strings.Contains(w, `"`) })
}

func parses(args []string) error {
	p := &program{IO: IO{Out: io.Discard, Err: io.Discard, Env: env()}}
	cmd, rest, err := p.root().Find(args)
	if err != nil {
		return err
	}
	if !cmd.HasParent() && len(args) > 0 {
		return fmt.Errorf("no command")
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

var messageRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|")

// The errors that can be looked up are those that the program has.
func TestDocumentedErrors(t *testing.T) {
	root := dialecttest.Root(t)
	var code strings.Builder
	for _, dir := range []string{"internal", "scri"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, _ os.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			b, err := os.ReadFile(path)
			code.Write(b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	rows := messageRow.FindAllStringSubmatch(document(t, "docs/troubleshooting.md"), -1)
	if len(rows) < 20 {
		t.Errorf("only %d messages were found", len(rows))
	}
	for _, m := range rows {
		for piece := range strings.SplitSeq(m[1], "...") {
			if piece = strings.Trim(piece, " ,"); len(piece) > 3 && !strings.Contains(code.String(), piece) {
				t.Errorf("no error says %q, of %q", piece, m[1])
			}
		}
	}
}
