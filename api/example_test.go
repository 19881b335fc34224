package api_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/culvert-net/culvert/api"
	"github.com/culvert-net/culvert/api/backend/mock"
)

func ExampleServer() {
	s, err := api.New(api.Config{
		Backend: mock.New(mock.Config{}),
		Banner:  api.Info{Mode: "local", Version: "1.0.0"},
	})
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(s.Handler())
	defer server.Close()

	resp, err := http.Get(server.URL + "/readyz")
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		panic(err)
	}
	fmt.Print(resp.StatusCode, " ", string(text))
	// Output: 200 {"ready":true}
}
