package app

import (
	"net/http"
	"os"
	"strings"
	"testing"
)

// Who may change the configuration over HTTP starts no programs by that, and gets
// neither keys nor what others ask.
func TestConfigAPILeavesToTheFile(t *testing.T) {
	const text = `
[local.ollama]
base_url = "http://127.0.0.1:1"

[local.vllm]
enabled = false

[providers.mine]
dialect = "openai"
base_url = "http://127.0.0.1:2"
api_key_env = "MINE_KEY"
headers = {X-Team = "${LAB_KEY}"}
`
	f := newFile(t, text)
	for _, c := range []struct{ name, old, new, says string }{
		{"a runtime is started", "[local.ollama]", "[local.ollama]\nmanage = true", "local.ollama: what is started"},
		{"by another program", "[local.ollama]", "[local.ollama]\ncommand = [\"touch\", \"/tmp/x\"]", "local.ollama: what is started"},
		{"another runtime is started", "[local.ollama]", "[local.new]\ntype = \"ollama\"\nmanage = true\n[local.ollama]", "local.new: what is started"},
		{"another address", ":2", ":3", "providers.mine: where requests go"},
		{"another local address", ":1\"", ":3\"", "local.ollama: where requests go"},
		{"another provider's key", "MINE_KEY", "OPENAI_API_KEY", "providers.mine: where requests go"},
		{"a file for a key", `api_key_env = "MINE_KEY"`, `api_key_file = "/etc/hostname"`, "providers.mine: where requests go"},
		{"a way through somebody else", "[providers.mine]", "[providers.mine]\nproxy = \"http://127.0.0.1:3\"", "providers.mine: where requests go"},
		{"somebody else's certificates", "[providers.mine]", "[providers.mine]\nca_file = \"/tmp/ca.pem\"", "providers.mine: where requests go"},
		{"a provider called local", "[providers.mine]", "[providers.mine]\nzone = \"local\"", "providers.mine: where requests go"},
		{"a new address", "[providers.mine]", "[providers.other]\ntype = \"openai\"\nbase_url = \"http://127.0.0.1:3\"\n[providers.mine]", "providers.other: where requests go"},
		{"traces", "[local.ollama]", "[monitoring]\notlp_endpoint = \"http://127.0.0.1:3\"\n[local.ollama]", "monitoring.otlp_endpoint: where traces go"},
		{"a provider taken out", text[strings.Index(text, "[providers.mine]"):], "", "providers.mine: where requests go"},
		{"a runtime taken out, that listens elsewhere", "[local.ollama]\nbase_url = \"http://127.0.0.1:1\"", "", "local.ollama: where requests go"},
		{"a runtime that was off", "enabled = false", "", "local.vllm: where requests go"},
		{"a runtime that is not named off any more", "[local.vllm]\nenabled = false", "", "local.vllm: where requests go"},
		{"a network without keys", "[local.ollama]", "[server]\ntrusted_networks = [\"10.0.0.0/8\"]\n[local.ollama]", "server.trusted_networks: who may ask"},
		{"a page", "[local.ollama]", "[server]\ncors_origins = [\"https://example.com\"]\n[local.ollama]", "server.cors_origins: who may ask"},
		{"a certificate", "[local.ollama]", "[server]\ntls_cert = \"/tmp/c\"\ntls_key = \"/tmp/k\"\n[local.ollama]", "server.tls_cert: who may ask"},
		{"a network to fetch from", "[local.ollama]", "[media]\nallow_networks = [\"10.0.0.0/8\"]\n[local.ollama]", "media.allow_networks: who may ask"},
		{"a host to fetch from", "[local.ollama]", "[media]\nallow_hosts = [\"wiki.lan\"]\n[local.ollama]", "media.allow_hosts: who may ask"},
		{"the file's own secret elsewhere", "[local.ollama]", "[aliases]\nleak = \"mine:${LAB_KEY}\"\n[local.ollama]", "aliases.leak: ${LAB_KEY}: what is taken from the environment"},
		{"a secret that is not spelled out", "[local.ollama]", "[aliases]\nleak = \"mine:\\u0024{ARATTA_HOME}\"\n[local.ollama]", "aliases.leak: ${ARATTA_HOME}: what is taken from the environment"},
		{"a secret where it makes no sense, and would be told as that", "[local.ollama]", "[monitoring]\ntrace_zones = [\"${LAB_KEY}\"]\n[local.ollama]", "monitoring.trace_zones: ${LAB_KEY}: what is taken from the environment"},
		{"a secret as a name", "[local.ollama]", "[local.ollama]\ndefault_model = \"${MINE_KEY}\"", "${MINE_KEY}: what is taken from the environment"},
	} {
		next := strings.Replace(text, c.old, c.new, 1)
		status, _, body := f.do(t, "PUT", "/api/v1/config", next, "If-Match", "*")
		if status != http.StatusForbidden || !strings.Contains(body, c.says) || !strings.Contains(body, "in the file itself") {
			t.Errorf("%s: %d %s", c.name, status, body)
		}
		if strings.Contains(body, labKey) {
			t.Errorf("%s: the secret is told: %s", c.name, body)
		}
		if b, err := os.ReadFile(f.path); err != nil || string(b) != text {
			t.Errorf("%s: the file is %s, %v", c.name, b, err)
		}
	}
	// What stays open: all that is neither, and what the catalogue knows of a provider.
	next := strings.Replace(text, "[providers.mine]", "[providers.groq]\npriority = 3\n[providers.mine]\npriority = 2", 1)
	if status, _, body := f.do(t, "PUT", "/api/v1/config", next, "If-Match", "*"); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
}
