package openai

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// PromptTokens is how many tokens an answer says its prompt had; 0 if it does
// not say.
func PromptTokens(answer []byte) int {
	var doc struct {
		Usage struct {
			Prompt int `json:"prompt_tokens"`
		} `json:"usage"`
	}
	if json.Unmarshal(answer, &doc) != nil {
		return 0
	}
	return max(0, doc.Usage.Prompt)
}

// Choices is how many choices an answer has.
func Choices(answer []byte) int {
	var doc struct {
		Choices []struct{} `json:"choices"`
	}
	if json.Unmarshal(answer, &doc) != nil {
		return 0
	}
	return len(doc.Choices)
}

// Content is the text of the first answer of a chat; "" if there is none.
func Content(answer []byte) string {
	var doc struct {
		Choices []struct {
			Message struct {
				Content string `json:"content"`
			} `json:"message"`
		} `json:"choices"`
	}
	if json.Unmarshal(answer, &doc) != nil || len(doc.Choices) == 0 {
		return ""
	}
	return doc.Choices[0].Message.Content
}

// KindOf is the member type of a JSON object; "" if it has none.
func KindOf(value []byte) string {
	var doc struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(value, &doc) != nil {
		return ""
	}
	return doc.Type
}

// TooLong is the 400 for a prompt of at least least tokens where only most fit.
func TooLong(param string, least, most int) *Error {
	return &Error{
		Status: http.StatusBadRequest, Type: TypeInvalidRequest, Code: "context_length_exceeded", Param: param,
		Message: "the prompt has at least " + strconv.Itoa(least) + " tokens and the model server takes " + strconv.Itoa(most) +
			"; shorten it, or choose a model with a longer context",
	}
}
