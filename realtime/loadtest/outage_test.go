package main

import (
	"errors"
	"syscall"
	"testing"
)

func TestFull(t *testing.T) {
	needRoot(t)
	disk, err := mountSmall()
	if errors.Is(err, syscall.EPERM) {
		missing(t, err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := disk.unmount(); err != nil {
		t.Fatal(err)
	}
	runMode(t, "faults", "full", "--lasts=1s")
}

func TestBroken(t *testing.T) {
	needTool(t, "strace")
	runMode(t, "faults", "broken", "--lasts=1s")
}
