package app

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/internal/sock/socktest"
)

// nonroot is who runs in images of distroless.
const nonroot = 65532

// image is what the Dockerfile makes, made without Docker: an empty root with the
// binary that its line builds, /tmp and /data, and nothing else: no shell, no
// certificates, no /proc, no /dev.
type image struct {
	root       string
	env        []string
	entrypoint []string
	cmd        []string
	health     []string
}

func newImage(t *testing.T) *image {
	t.Helper()
	file := document(t, "deploy/Dockerfile")
	list := func(instruction string) (words []string) {
		m := regexp.MustCompile(`(?m)^` + instruction + `[^\[\n]*(\[.*\])$`).FindStringSubmatch(file)
		if m == nil || json.Unmarshal([]byte(m[1]), &words) != nil {
			t.Fatalf("the Dockerfile has no list after %s", instruction)
		}
		return words
	}
	im := &image{root: t.TempDir(), entrypoint: list("ENTRYPOINT"), cmd: list("CMD"), health: list("HEALTHCHECK")}
	for _, m := range regexp.MustCompile(`(?m)^ENV (\S+)$`).FindAllStringSubmatch(file, -1) {
		im.env = append(im.env, m[1])
	}
	build := regexp.MustCompile(`(?m)^RUN (CGO_ENABLED=0 go build .*?)(?: \\)?$`).FindStringSubmatch(file)
	if build == nil {
		t.Fatal("the Dockerfile builds nothing")
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.Replace(build[1], " -o /", " -o "+im.root+"/", 1))
	cmd.Dir = dialecttest.Root(t)
	cmd.Env = append(os.Environ(), "VERSION=v9.9.9-bare")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", build[1], err, out)
	}
	for dir, mode := range map[string]os.FileMode{"": 0o755, "tmp": 0o777, "data": 0o777} {
		path := filepath.Join(im.root, dir)
		if err := os.MkdirAll(path, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	return im
}

// start runs something in the image, as root by a change of root, as anybody else
// in a user namespace of its own.
func (im *image) start(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = "/"
	cmd.Env = append(im.env, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: im.root}
	if os.Getuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nonroot, Gid: nonroot}
	} else {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: nonroot, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: nonroot, HostID: os.Getgid(), Size: 1}}
	}
	p, err := runProcess(cmd)
	if err != nil {
		t.Skip("this needs root, or user namespaces: ", err)
	}
	t.Cleanup(p.kill)
	return p
}

// The binary needs nothing but itself: not a shell, not a file of the system, not
// a right.
func TestBarePlace(t *testing.T) {
	im := newImage(t)
	run := func(p *process, pattern string) string {
		t.Helper()
		found, err := p.says(pattern)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	aratta := im.entrypoint[0]
	run(im.start(t, nil, aratta, "version"), `v9\.9\.9-bare`)
	upstream := run(im.start(t, nil, aratta, "sim", "--provider", "cloud:openai=127.0.0.1:0", "--model", "m", "--control", "127.0.0.1:0"),
		`simulated cloud at http://(\S+)`)
	config := fmt.Sprintf("[providers.cloud]\ndialect = \"openai\"\nbase_url = \"http://%s\"\napi_key_env = \"CLOUD_KEY\"\ndefault_model = \"m\"\n", upstream)
	if err := os.WriteFile(filepath.Join(im.root, "data", "config.toml"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(socktest.FreeAddr(t))
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"CLOUD_KEY=k", "ARATTA_HOST=127.0.0.1", "ARATTA_PORT=" + port}
	serve := im.start(t, env, append(im.entrypoint, im.cmd...)...)
	run(serve, listening)
	if err := im.start(t, env, im.health...).ended(); err != nil {
		t.Errorf("the health check of the Dockerfile: %v", err)
	}
	run(im.start(t, env, aratta, "chat", "--url", "127.0.0.1:"+port, "Is", "there", "air?"), `simulated answer of cloud \(m\)\. You asked: Is there air\?`)
	if err := serve.signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := serve.ended(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}
