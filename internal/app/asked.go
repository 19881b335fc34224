package app

import (
	"errors"
	"net/http"

	"github.com/culvert-net/culvert/internal/serve"
)

// StatusOf is how the exit code of a command's error travels.
func StatusOf(err error) int {
	switch Code(err) {
	case ExitUsage:
		return http.StatusBadRequest
	case ExitNotReady:
		return http.StatusServiceUnavailable
	case ExitRefused:
		return http.StatusForbidden
	}
	return http.StatusInternalServerError
}

// Asked gives an error of the daemon the exit code that it had there.
func Asked(err error) error {
	told, ok := errors.AsType[*serve.RefusedError](err)
	if !ok {
		return err
	}
	switch told.Status {
	case http.StatusBadRequest:
		return Usage(err)
	case http.StatusServiceUnavailable:
		return NotReady(err)
	case http.StatusForbidden:
		return Refused(err)
	}
	return err
}
