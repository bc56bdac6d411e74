package app

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
)

// strictly reads a YAML file of the repository; members that the type does not
// have are mistakes.
func strictly(t *testing.T, file string, into any) {
	t.Helper()
	if err := yaml.UnmarshalWithOptions([]byte(document(t, file)), into, yaml.Strict()); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// systemd takes the unit.
func TestSystemdUnit(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed: ", err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The binary must be there, so another one stands in for it.
	unit := strings.ReplaceAll(document(t, "deploy/systemd/aratta.service"), "/usr/local/bin/aratta", self)
	file := filepath.Join(t.TempDir(), "aratta.service")
	if err := os.WriteFile(file, []byte(unit), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", file).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze: %v\n%s", err, out)
	}
}

// The compose file is one as far as this test knows the format, what it refers to
// is there, and the configuration in it is one.
func TestCompose(t *testing.T) {
	type source struct{ Source, Target string }
	var c struct {
		Services map[string]struct {
			Build       struct{ Context, Dockerfile string }
			Image       string
			Ports       []string
			Environment map[string]string
			Configs     []source
			Volumes     []string
			DependsOn   []string `yaml:"depends_on"`
			ReadOnly    bool     `yaml:"read_only"`
			CapDrop     []string `yaml:"cap_drop"`
			SecurityOpt []string `yaml:"security_opt"`
			Restart     string
		}
		Configs map[string]struct{ File string }
		Volumes map[string]any
	}
	strictly(t, "deploy/compose.yaml", &c)
	dockerfile := document(t, "deploy/Dockerfile")
	for name, s := range c.Services {
		if (s.Image == "") == (s.Build.Dockerfile == "") {
			t.Errorf("%s is neither an image nor built, or both", name)
		}
		if s.Build.Dockerfile != "" {
			if _, err := os.Stat(filepath.Join(dialecttest.Root(t), "deploy", s.Build.Context, s.Build.Dockerfile)); err != nil {
				t.Error(name, err)
			}
		}
		for _, d := range s.DependsOn {
			if _, ok := c.Services[d]; !ok {
				t.Errorf("%s depends on %s, which is not there", name, d)
			}
		}
		for _, v := range s.Volumes {
			volume, _, _ := strings.Cut(v, ":")
			if _, ok := c.Volumes[volume]; !ok {
				t.Errorf("%s has the volume %s, which is not there", name, volume)
			}
		}
		for _, from := range s.Configs {
			// Only a file can be brought into a service that is read-only.
			if _, err := load(t, document(t, filepath.Join("deploy", c.Configs[from.Source].File)), allKeys); err != nil {
				t.Errorf("the configuration %s of %s: %v", from.Source, name, err)
			}
			if !strings.HasPrefix(from.Target, "/data/") || !strings.Contains(dockerfile, "ARATTA_HOME=/data\n") {
				t.Errorf("%s looks for no configuration at %s", name, from.Target)
			}
		}
		for _, p := range s.Ports {
			if inner := p[strings.LastIndexByte(p, ':')+1:]; inner != strconv.Itoa(defaultPort) || !strings.Contains(dockerfile, "EXPOSE "+inner+"\n") {
				t.Errorf("nobody listens at port %s of %s", inner, name)
			}
		}
	}
	if len(c.Services) != 2 {
		t.Errorf("services %v", slices.Sorted(maps.Keys(c.Services)))
	}
}

// What is released is what make dist builds, with the same list of contents as
// make sbom writes.
func TestReleaseConfiguration(t *testing.T) {
	var r struct {
		Builds []struct {
			Main         string
			Env, Ldflags []string
			Goos, Goarch []string
		}
		Sboms []struct{ Args []string }
	}
	if err := yaml.Unmarshal([]byte(document(t, ".goreleaser.yaml")), &r); err != nil {
		t.Fatal(err)
	}
	makefile := document(t, "Makefile")
	platforms := regexp.MustCompile(`(?m)^PLATFORMS\s*=\s*(.*)$`).FindStringSubmatch(makefile)
	if len(r.Builds) != 1 || len(r.Sboms) != 1 || platforms == nil {
		t.Fatalf("%+v", r)
	}
	var list []string
	for _, system := range r.Builds[0].Goos {
		for _, machine := range r.Builds[0].Goarch {
			list = append(list, system+"/"+machine)
		}
	}
	if want := strings.Fields(platforms[1]); !slices.Equal(list, want) {
		t.Errorf("it builds %v, make dist %v", list, want)
	}
	if b := r.Builds[0]; b.Main != "./cmd/aratta" || !slices.Equal(b.Env, []string{"CGO_ENABLED=0"}) || !strings.Contains(b.Ldflags[0], "-X main.version=") {
		t.Errorf("%+v", b)
	}
	tool := regexp.MustCompile(`\S+/cyclonedx-gomod@v[0-9.]+`)
	if a, b := tool.FindString(strings.Join(r.Sboms[0].Args, " ")), tool.FindString(makefile); a == "" || a != b {
		t.Errorf("the list of contents is made by %q, by make sbom with %q", a, b)
	}
}
