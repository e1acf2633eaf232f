// tests/vectors through the C ABI, by Go's cgo: the second stranger that reads the header.
//
//	go run . VECTORS      (CGO_CFLAGS and CGO_LDFLAGS name the installed tree)
package main

/*
#include <pushcore.h>
#include <stdlib.h>
*/
import "C"

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"unsafe"
)

// Failed is an error of the library.
type Failed struct {
	Name, Message string
}

func (f *Failed) Error() string { return f.Name + ": " + f.Message }

func text(v C.pushcore_view) string {
	return C.GoStringN((*C.char)(unsafe.Pointer(v.data)), C.int(v.len))
}

// view copies bytes to where C may keep a pointer to them; done frees them.
func view(s string) (v C.pushcore_view, done func()) {
	p := C.CBytes([]byte(s))
	v.data, v.len = (*C.uint8_t)(p), C.size_t(len(s))
	return v, func() { C.free(p) }
}

func failed(status C.pushcore_status, e *C.pushcore_error) error {
	if status == C.PUSHCORE_OK {
		return nil
	}
	defer C.pushcore_error_free(e)
	return &Failed{text(C.pushcore_error_name(e)), text(C.pushcore_error_message(e))}
}

func message(kind C.uint32_t, form string) (*C.pushcore_message, error) {
	v, done := view(form)
	defer done()
	var out *C.pushcore_message
	var e *C.pushcore_error
	return out, failed(C.pushcore_message_from_json(kind, v, nil, &out, &e), e)
}

func at(seconds uint64) C.pushcore_now {
	return C.pushcore_now{monotonic_ms: 1000, unix_ms: C.uint64_t(seconds * 1000)}
}

type request struct{ url, path, body string }

func requestOf(service *C.pushcore_service, m *C.pushcore_message, now C.pushcore_now) (request, error) {
	var out *C.pushcore_request
	var e *C.pushcore_error
	if err := failed(C.pushcore_service_request(service, m, now, &out, &e), e); err != nil {
		return request{}, err
	}
	defer C.pushcore_request_free(out)
	return request{text(C.pushcore_request_url(out)), text(C.pushcore_request_path(out)), text(C.pushcore_request_body(out))}, nil
}

type row struct {
	Name    string            `json:"name"`
	Message json.RawMessage   `json:"message"`
	JSON    json.RawMessage   `json:"json"`
	Text    *string           `json:"text"`
	Error   string            `json:"error"`
	Path    string            `json:"path"`
	Status  uint16            `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"`
	Expect  map[string]any    `json:"expect"`
}

type vectors struct {
	Encode  []row `json:"encode"`
	Invalid []row `json:"invalid"`
	Decode  []row `json:"decode"`
}

// form is the text of a form: the row's own, or the object's.
func form(r row) string {
	raw := r.Message
	if raw == nil {
		raw = r.JSON
	}
	return plain(raw)
}

func plain(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return b.String()
}

func check(ok bool, r row, what ...any) {
	if !ok {
		fmt.Fprintln(os.Stderr, append([]any{"FAILED", r.Name}, what...)...)
		os.Exit(1)
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func decode(m *C.pushcore_message, rows []row, now C.pushcore_now) int {
	for _, r := range rows {
		body, done := view(plain(r.Body))
		var response *C.pushcore_response
		var outcome *C.pushcore_outcome
		var e *C.pushcore_error
		must(failed(C.pushcore_response_new(C.uint16_t(r.Status), body, &response, &e), e))
		done()
		for name, value := range r.Headers {
			n, doneN := view(name)
			v, doneV := view(value)
			must(failed(C.pushcore_response_add_header(response, n, v, &e), e))
			doneN()
			doneV()
		}
		must(failed(C.pushcore_message_outcome(m, response, now, &outcome, &e), e))
		var parts C.pushcore_outcome_parts
		parts.struct_size = C.uint32_t(unsafe.Sizeof(parts))
		must(failed(C.pushcore_outcome_parts_of(outcome, &parts, &e), e))
		check(text(C.pushcore_outcome_name(parts.kind)) == r.Expect["outcome"], r, text(C.pushcore_outcome_name(parts.kind)))
		reason, _ := r.Expect["reason"].(string)
		check(text(parts.reason) == reason, r, text(parts.reason))
		if id, there := r.Expect["id"].(string); there {
			check(text(parts.id) == id, r, text(parts.id))
		}
		if after, there := r.Expect["after"].(float64); there {
			check(parts.flags&C.PUSHCORE_HAS_AFTER != 0 && float64(parts.after_ms) == after*1000, r, parts.after_ms)
		}
		C.pushcore_outcome_free(outcome)
		C.pushcore_response_free(response)
	}
	return len(rows)
}

func run(folder, name string, kind C.uint32_t, service *C.pushcore_service, seconds uint64, example string) int {
	content, err := os.ReadFile(filepath.Join(folder, name+".json"))
	must(err)
	var all vectors
	must(json.Unmarshal(content, &all))
	now := at(seconds)
	for _, r := range all.Encode {
		m, err := message(kind, form(r))
		must(err)
		made, err := requestOf(service, m, now)
		must(err)
		C.pushcore_message_free(m)
		if r.Path != "" {
			check(made.path == r.Path, r, made.path)
		}
		switch {
		case r.Text != nil:
			check(made.body == *r.Text, r, made.body)
		case strings.HasPrefix(string(r.Body), "\""):
			check(made.body == plain(r.Body), r, made.body)
		default:
			var one, other any
			must(json.Unmarshal([]byte(made.body), &one))
			must(json.Unmarshal(r.Body, &other))
			check(reflect.DeepEqual(one, other), r, made.body)
		}
	}
	for _, r := range all.Invalid {
		_, err := message(kind, form(r))
		refused, is := err.(*Failed)
		check(is && refused.Name == r.Error, r, err)
		path := r.Path
		if path == "" {
			path = "message"
		}
		check(strings.HasPrefix(refused.Message, path), r, err)
	}
	m, err := message(kind, example)
	must(err)
	rows := len(all.Encode) + len(all.Invalid) + decode(m, all.Decode, now)
	C.pushcore_message_free(m)
	fmt.Printf("%s: %d rows\n", name, rows)
	return rows
}

func supply(service *C.pushcore_service, seconds uint64) {
	token, done := view("t")
	defer done()
	var e *C.pushcore_error
	must(failed(C.pushcore_service_supply_token(service, token, 60000, at(seconds), nil, &e), e))
}

func main() {
	folder := os.Args[1]
	var e *C.pushcore_error
	rows := 0
	{
		var o C.pushcore_fcm_service_options
		o.struct_size = C.uint32_t(unsafe.Sizeof(o))
		o.credentials = C.PUSHCORE_FCM_ACCESS_TOKENS
		project, done := view("my-app")
		o.project = project
		var service *C.pushcore_service
		must(failed(C.pushcore_fcm_service_new(&o, &service, &e), e))
		done()
		supply(service, 784111747)
		rows += run(folder, "fcm", C.PUSHCORE_SERVICE_FCM, service, 784111747, `{"token":"t"}`)
		C.pushcore_service_free(service)
	}
	{
		var o C.pushcore_adm_service_options
		o.struct_size = C.uint32_t(unsafe.Sizeof(o))
		id, doneID := view("id")
		secret, doneSecret := view("secret")
		o.client_id, o.client_secret = id, secret
		var service *C.pushcore_service
		must(failed(C.pushcore_adm_service_new(&o, &service, &e), e))
		doneID()
		doneSecret()
		supply(service, 784111747)
		rows += run(folder, "adm", C.PUSHCORE_SERVICE_ADM, service, 784111747, `{"registration_id":"used","data":{"k":"v"}}`)
		C.pushcore_service_free(service)
	}
	{
		var o C.pushcore_baidu_service_options
		o.struct_size = C.uint32_t(unsafe.Sizeof(o))
		key, doneKey := view("AK")
		secret, doneSecret := view("SK")
		o.api_key, o.secret_key = key, secret
		var service *C.pushcore_service
		must(failed(C.pushcore_baidu_service_new(&o, &service, &e), e))
		doneKey()
		doneSecret()
		rows += run(folder, "baidu", C.PUSHCORE_SERVICE_BAIDU, service, 1500000000, `{"kind":"android","target":{"device":"1"},"notification":{"description":"x"}}`)
		C.pushcore_service_free(service)
	}
	if rows < 150 || C.pushcore_live_handles() != 0 {
		fmt.Fprintln(os.Stderr, "FAILED", rows, "rows,", C.pushcore_live_handles(), "handles left")
		os.Exit(1)
	}
}
