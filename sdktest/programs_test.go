package sdktest

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/scri"
)

// agent is a coding agent that runs without a terminal.
type agent struct {
	name    string
	program string // below the folder of ARATTA_AGENTS
	speaks  string // the dialect
	args    []string
	env     func(url, home string) []string
	set     func(t *testing.T, url, home string) // writes its settings
	call    func(tools []scri.Tool, file string) *scri.Part
}

const (
	errand     = "Read the file note.txt and tell me the word in it."
	secretWord = "xylocarp"
)

func agents() []agent {
	return []agent{
		{
			name: "Claude Code", program: "claude", speaks: "anthropic",
			args: []string{"-p", errand, "--allowedTools", "Read", "--output-format", "text"},
			env: func(url, _ string) []string {
				return []string{
					"ANTHROPIC_BASE_URL=" + url, "ANTHROPIC_AUTH_TOKEN=unused", "ANTHROPIC_MODEL=agents", "ANTHROPIC_DEFAULT_HAIKU_MODEL=agents",
					"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1", "DISABLE_AUTOUPDATER=1", "DISABLE_TELEMETRY=1", "IS_SANDBOX=1",
				}
			},
			call: calls("Read", "file_path"),
		},
		{
			name: "opencode", program: "opencode", speaks: "openai",
			args: []string{"run", "--model", "aratta/agents", errand},
			env: func(_, home string) []string {
				return []string{"OPENCODE_DISABLE_AUTOUPDATE=1", "OPENCODE_DISABLE_MODELS_FETCH=1", "OPENCODE_CONFIG=" + filepath.Join(home, "opencode.json")}
			},
			set: func(t *testing.T, url, home string) {
				write(t, filepath.Join(home, "opencode.json"), `{"$schema": "https://opencode.ai/config.json", "model": "aratta/agents", "small_model": "aratta/agents", "share": "disabled", "autoupdate": false,
"provider": {"aratta": {"npm": "@ai-sdk/openai-compatible", "name": "Aratta", "options": {"baseURL": "`+url+`/v1", "apiKey": "unused"}, "models": {"agents": {"tool_call": true}}}}}`)
			},
			call: calls("read", "filePath"),
		},
		{
			name: "Continue", program: "cn", speaks: "openai",
			args: []string{"-p", errand},
			env:  func(_, _ string) []string { return []string{"CONTINUE_TELEMETRY_ENABLED=0"} },
			set: func(t *testing.T, url, home string) { // as docs/clients.md has it
				if err := os.Mkdir(filepath.Join(home, ".continue"), 0o700); err != nil {
					t.Fatal(err)
				}
				write(t, filepath.Join(home, ".continue", "config.yaml"), `name: Aratta
version: 1.0.0
schema: v1
models:
  - {name: Aratta, provider: openai, model: agents, apiBase: "`+url+`/v1", apiKey: unused, roles: [chat, edit, apply]}
`)
			},
			call: calls("Read", "filepath"),
		},
		codexAgent("Codex", "agents", codexCall),
		codexAgent("Codex with a patch", patcher, codexPatch),
	}
}

// patcher is a model that Codex knows, and so offers its tool for patches.
const patcher = "gpt-5.5"

func codexAgent(name, model string, call func([]scri.Tool, string) *scri.Part) agent {
	return agent{
		name: name, program: "codex", speaks: "responses",
		args: []string{"exec", "--skip-git-repo-check", "--sandbox", "danger-full-access", errand},
		env:  func(_, home string) []string { return []string{"CODEX_HOME=" + home, "ARATTA_UNUSED=unused"} },
		set: func(t *testing.T, url, home string) {
			write(t, filepath.Join(home, "config.toml"), "model = \""+model+"\"\nmodel_provider = \"aratta\"\n[model_providers.aratta]\nname = \"Aratta\"\nbase_url = \""+url+"/v1\"\nwire_api = \"responses\"\nenv_key = \"ARATTA_UNUSED\"\n")
		},
		call: call,
	}
}

// TestAgents runs the coding agents that are installed in the folder ARATTA_AGENTS
// names (`make agents` does it): each is sent to read a file and to say what is in
// it, the whole turn with a tool, with a simulated model behind the gateway.
func TestAgents(t *testing.T) {
	root := os.Getenv("ARATTA_AGENTS")
	if root == "" {
		t.Skip("ARATTA_AGENTS names no folder with agents; make agents installs them and runs this")
	}
	for _, a := range agents() {
		program := filepath.Join(root, "node_modules", ".bin", a.program)
		for _, format := range []string{"anthropic", "openai", "ollama"} {
			t.Run(a.name+"/"+format+" provider", func(t *testing.T) {
				if all.Get(a.speaks) == nil {
					t.Skip("it speaks ", a.speaks, ", which is not built")
				}
				if _, err := os.Stat(program); err != nil {
					t.Skip("not installed: ", err)
				}
				a.run(t, program, format)
			})
		}
	}
}

func (a *agent) run(t *testing.T, program, format string) {
	work, home := t.TempDir(), t.TempDir()
	file := filepath.Join(work, "note.txt")
	write(t, file, "The word is "+secretWord+".\n")
	u := newUpstream("agent-model", format)
	defer u.server.Close()
	var read atomic.Bool // the tool was used
	u.echo = func(r *scri.ChatRequest) (*scri.ChatResponse, error) {
		if last := r.Messages[len(r.Messages)-1]; hasResult(&last) {
			b, err := json.Marshal(last)
			if err == nil && bytes.Contains(b, []byte(secretWord)) {
				read.Store(true)
				return said("The word is " + secretWord + "."), nil
			}
			return said("I could not read it."), err
		}
		if p := a.call(r.Tools, file); p != nil {
			return answer(scri.TextPart("I shall read it."), *p), nil
		}
		return said("A note"), nil // a title, or some other small question
	}
	u.says(t, nil)
	text := config([]*upstream{u}) + "agents = [\"agent-model:" + model + "\"]\n\"" + patcher + "\" = [\"agent-model:" + model + "\"]\n"
	p, err := shared.program.serve(t.Context(), t.TempDir(), text, "SIM_KEY="+providerKey)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	if a.set != nil {
		a.set(t, p.url, home)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, a.args...)
	cmd.Dir, cmd.WaitDelay = work, 5*time.Second
	cmd.Env = append([]string{
		"HOME=" + home, "XDG_CONFIG_HOME=" + home, "XDG_DATA_HOME=" + home, "XDG_CACHE_HOME=" + home, "XDG_STATE_HOME=" + home,
		"PATH=" + os.Getenv("PATH"), "NO_COLOR=1",
	}, a.env(p.url, home)...)
	out, err := cmd.CombinedOutput()
	if err != nil || !read.Load() || !strings.Contains(string(out), secretWord) {
		t.Errorf("%v; the file was read: %v; it says:\n%s\nthe gateway says:\n%s", err, read.Load(), out, p.out.all())
	}
}

// calls makes a call of a tool that takes the file in one argument.
func calls(name, arg string) func([]scri.Tool, string) *scri.Part {
	return func(tools []scri.Tool, file string) *scri.Part {
		for i := range tools {
			if tools[i].Name == name {
				args, _ := json.Marshal(map[string]string{arg: file}) //nolint:errchkjson // strings
				p := calling("call_read_1", name, string(args))
				return &p
			}
		}
		return nil
	}
}

// codexCall reads the file by a command, as Codex does.
func codexCall(tools []scri.Tool, file string) *scri.Part {
	for i := range tools {
		var args any
		switch tools[i].Name {
		case "exec_command":
			args = map[string]any{"cmd": "cat " + file}
		case "shell_command":
			args = map[string]any{"command": "cat " + file}
		case "shell":
			args = map[string]any{"command": []string{"cat", file}}
		default:
			continue
		}
		b, _ := json.Marshal(args) //nolint:errchkjson // strings
		p := calling("call_read_1", tools[i].Name, string(b))
		return &p
	}
	return nil
}

// codexPatch makes a file whose name is the word, of which the result then tells.
func codexPatch(tools []scri.Tool, _ string) *scri.Part {
	for i := range tools {
		if tools[i].Name == "apply_patch" && tools[i].Type == "" {
			args, _ := json.Marshal(map[string]string{"input": "*** Begin Patch\n*** Add File: " + secretWord + "\n+a line\n*** End Patch"}) //nolint:errchkjson // strings
			p := calling("call_patch_1", tools[i].Name, string(args))
			return &p
		}
	}
	return nil
}

func hasResult(m *scri.Message) bool {
	for i := range m.Parts {
		if m.Parts[i].Kind == scri.PartToolResult {
			return true
		}
	}
	return false
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
