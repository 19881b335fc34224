package process

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of CPU time in /proc/PID/stat: Linux shows 100 a second on
// every architecture that Go runs on.
const tick = 10 * time.Millisecond

// Known reports whether this system says what programs use, in /proc.
func Known() bool {
	_, err := os.Stat("/proc/self/stat")
	return err == nil
}

// CPU is the time a process has computed, in itself and in the system for it.
func CPU(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("reading CPU time: %w", err)
	}
	return parseStat(string(text))
}

// parseStat reads fields 14 and 15, counted from 1. The second is a name in
// parentheses, which may have anything in it.
func parseStat(text string) (time.Duration, error) {
	at := strings.LastIndexByte(text, ')')
	if at < 0 {
		return 0, fmt.Errorf("reading CPU time: %q is no line of /proc/PID/stat", text)
	}
	fields := strings.Fields(text[at+1:])
	const user, system = 14 - 3, 15 - 3
	if len(fields) <= system {
		return 0, fmt.Errorf("reading CPU time: %d fields", len(fields))
	}
	var sum int64
	for _, f := range []string{fields[user], fields[system]} {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("reading CPU time: %w", err)
		}
		sum += n
	}
	return time.Duration(sum) * tick, nil
}

// Anon is the memory of a process that is its own: RssAnon, in bytes.
func Anon(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("reading memory: %w", err)
	}
	return parseStatus(string(text))
}

func parseStatus(text string) (int64, error) {
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, "RssAnon:")
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("reading memory: %w", err)
		}
		return n << 10, nil
	}
	return 0, fmt.Errorf("reading memory: no RssAnon in /proc/PID/status")
}

// Machine is the CPU time that all programs together have used since the machine
// was started.
func Machine() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, fmt.Errorf("reading CPU time: %w", err)
	}
	return parseMachine(string(text))
}

// parseMachine reads the first line: the sum of all cores. Time that was spent
// waiting is idle (4) and iowait (5), counted from 1; guests (9 and 10) are in
// user time already.
func parseMachine(text string) (time.Duration, error) {
	line, _, _ := strings.Cut(text, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, fmt.Errorf("reading CPU time: %q is not the first line of /proc/stat", line)
	}
	var sum int64
	for i, f := range fields[:9] {
		if i == 0 || i == 4 || i == 5 {
			continue
		}
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("reading CPU time: %w", err)
		}
		sum += n
	}
	return time.Duration(sum) * tick, nil
}
