package app

import (
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// The command line, as scripts that read as examples. Besides what testscript
// knows there are:
//
//	start NAME REGEXP ARG...   start aratta, wait until its output matches, and put
//	                           what the group matched into the variable NAME
//	exits CODE ARG...          run aratta, which must end with this exit code
//	fill FILE                  put the values of variables ($NAME) into a file
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("ARATTA_HOME", e.WorkDir)
			e.Setenv("GORACE", os.Getenv("GORACE"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"start": scriptStart, "exits": scriptExits, "fill": scriptFill,
		},
	})
}

func scriptStart(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: start NAME REGEXP ARG...")
	}
	var env []string
	for _, name := range []string{"OLLAMA", "CLOUD"} { // addresses that configurations name
		env = append(env, name+"="+ts.Getenv(name))
	}
	p, err := startProcess(ts.Getenv("WORK"), env, args[2:]...)
	ts.Check(err)
	ts.Defer(p.kill)
	v, err := p.says(args[1])
	ts.Check(err)
	ts.Setenv(args[0], v)
}

func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: exits CODE ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	if err := ts.Exec("aratta", args[1:]...); err != nil {
		code = -1
		if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // testscript hands it out as it is
			code = exit.ExitCode()
		}
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

func scriptFill(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: fill FILE")
	}
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}
