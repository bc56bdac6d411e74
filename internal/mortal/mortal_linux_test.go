package mortal_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/aratta-gateway/aratta/internal/mortal"
)

// part is the variable that says what this program is in place of a test: the starter
// of another, or that other, which ends by itself when the test has failed.
const part = "ARATTA_TEST_MORTAL"

const patience = 30 * time.Second

func TestMain(m *testing.M) {
	switch os.Getenv(part) {
	case "starter":
		cmd := as("started")
		cmd.Stdout = os.Stdout
		ended := make(chan error)
		if err := mortal.Start(cmd, cmd.Start, func() { ended <- cmd.Wait() }); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		fmt.Fprintln(os.Stderr, <-ended)
	case "started":
		fmt.Println("it runs")
		time.Sleep(2 * patience)
	default:
		os.Exit(m.Run())
	}
}

func as(what string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), part+"="+what)
	return cmd
}

// Not even who is killed leaves behind what he started.
func TestStart(t *testing.T) {
	r, w, err := os.Pipe() // whose end comes when nobody holds it any more
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := as("starter")
	cmd.Stdout, cmd.Stderr = w, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	if err := r.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReader(r)
	if line, err := out.ReadString('\n'); err != nil || line != "it runs\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if _, err := io.Copy(io.Discard, out); err != nil {
		t.Errorf("it still runs: %v", err)
	}
}

// Who cannot be started is nobody to wait for.
func TestStartNothing(t *testing.T) {
	cmd := exec.Command(t.TempDir()) // which is no program
	if err := mortal.Start(cmd, cmd.Start, func() { t.Error("it is waited for") }); err == nil {
		t.Error("a folder was started")
	}
}
