package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Sheet is what a provider asks for, by model, for a time. It travels signed
// with the provider's entry in the directory, and each round names its digest.
//
// docs/spec/ledger.md §7.
type Sheet struct {
	ID         [16]byte
	Sequence   uint64       // rises by one with each sheet of the provider
	Asset      Address      // the token paid in; zero is the chain's own currency
	UnitPrice  Amount       // that the sheet was made for, wei per million standard output tokens
	Models     []ModelPrice // in the order of their names, each once
	ValidFrom  uint64       // Unix seconds
	ValidUntil uint64       // Unix seconds; no longer at this one
}

const (
	sheetKind  = 6 // follows those of the other messages
	sheetType  = "Sheet(bytes16 id,uint64 sequence,address asset,uint96 unitPrice,ModelPrice[] models,uint64 validFrom,uint64 validUntil)" + modelType
	modelType  = "ModelPrice(string model,uint96 input,uint96 cached,uint96 output,uint96 reasoning,uint96 image,uint96 minimum)"
	modelPrice = 6 * 12 // bytes of a model's prices
)

var (
	// ErrSheetEarly says that a sheet is not valid yet.
	ErrSheetEarly = errors.New("the price sheet is not valid yet")
	// ErrSheetLate says that a sheet is not valid any more; the directory has a
	// newer one, or the provider is away.
	ErrSheetLate = errors.New("the price sheet is not valid any more")
)

// Check reports whether the sheet is well formed and holds now, in Unix
// seconds.
func (s *Sheet) Check(now uint64) error {
	if err := s.form(); err != nil {
		return err
	}
	switch {
	case now < s.ValidFrom:
		return ErrSheetEarly
	case now >= s.ValidUntil:
		return ErrSheetLate
	}
	return nil
}

// CheckNew reports whether the sheet is well formed and may be published now:
// it begins SheetNotice from now at the earliest.
func (s *Sheet) CheckNew(now uint64) error {
	if err := s.form(); err != nil {
		return err
	}
	if s.ValidFrom < now || s.ValidFrom-now < SheetNotice {
		return fmt.Errorf("a price sheet begins %d s after it is published at the earliest, or payers do not have it yet", SheetNotice)
	}
	return nil
}

// form is what holds of a sheet at any time.
func (s *Sheet) form() error {
	switch {
	case s.UnitPrice.IsZero():
		return ErrNoUnitPrice
	case s.ValidUntil <= s.ValidFrom:
		return errors.New("the price sheet ends before it begins")
	case s.ValidUntil-s.ValidFrom > MaxSheetLife:
		return fmt.Errorf("a price sheet is valid for at most %d days", MaxSheetLife/(24*3600))
	case len(s.Models) == 0 || len(s.Models) > MaxModels:
		return fmt.Errorf("a price sheet has 1 to %d models, not %d", MaxModels, len(s.Models))
	}
	for i, m := range s.Models {
		if err := checkName(m.Model); err != nil {
			return err
		}
		if i > 0 && s.Models[i-1].Model >= m.Model {
			return fmt.Errorf("the price sheet's models are not in the order of their names, each once: %q", m.Model)
		}
	}
	return nil
}

func checkName(name string) error {
	if name == "" || len(name) > MaxModelName {
		return fmt.Errorf("a model's name has 1 to %d bytes, not %d", MaxModelName, len(name))
	}
	if !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return fmt.Errorf("a model's name is text without control characters, not %q", name)
	}
	return nil
}

// Price is what the sheet says of a model.
func (s *Sheet) Price(model string) (ModelPrice, bool) {
	i, found := slices.BinarySearchFunc(s.Models, model, func(m ModelPrice, name string) int { return strings.Compare(m.Model, name) })
	if !found {
		return ModelPrice{}, false
	}
	return s.Models[i], true
}

// Digest is what the provider signs and what a round names.
func (s *Sheet) Digest(d Domain) Hash {
	var models []byte
	for i := range s.Models {
		m := &s.Models[i]
		var w words
		w.digest(keccak([]byte(modelType)))
		w.digest(keccak([]byte(m.Model)))
		for _, a := range m.amounts() {
			w.amount(a)
		}
		h := keccak(w.b)
		models = append(models, h[:]...)
	}
	var w words
	w.digest(keccak([]byte(sheetType)))
	w.round((*RoundID)(&s.ID)) // a bytes16 as well
	w.u64(&s.Sequence)
	w.address(&s.Asset)
	w.amount(&s.UnitPrice)
	w.digest(keccak(models))
	w.u64(&s.ValidFrom)
	w.u64(&s.ValidUntil)
	return d.digest(keccak(w.b))
}

// amounts are the prices in the order of their type.
func (m *ModelPrice) amounts() [6]*Amount {
	return [6]*Amount{&m.Input, &m.Cached, &m.Output, &m.Reasoning, &m.Image, &m.Minimum}
}

// SignedSheet is a sheet with its provider's signature. That it was decoded says
// nothing about who signed it: ask Signer.
type SignedSheet struct {
	Sheet     Sheet
	Signature Signature
}

// Sign signs the sheet for the domain; one that is not well formed is an error,
// since nobody would read it.
func (s Sheet) Sign(d Domain, k *Key) (SignedSheet, error) {
	if err := s.form(); err != nil {
		return SignedSheet{}, err
	}
	return SignedSheet{s, k.Sign(s.Digest(d))}, nil
}

// Signer is who signed the sheet in the domain, to be compared with the provider.
func (s *SignedSheet) Signer(d Domain) (Address, error) {
	return s.Signature.Recover(s.Sheet.Digest(d))
}

// Bytes are the one encoding of a sheet that is well formed.
func (s *SignedSheet) Bytes() []byte {
	sheet := &s.Sheet
	w := writer{[]byte{sheetKind}}
	w.b = append(w.b, sheet.ID[:]...)
	w.u64(&sheet.Sequence)
	w.b = append(w.b, sheet.Asset[:]...)
	w.amount(&sheet.UnitPrice)
	w.b = binary.BigEndian.AppendUint16(w.b, uint16(len(sheet.Models)))
	for i := range sheet.Models {
		m := &sheet.Models[i]
		w.b = append(w.b, byte(len(m.Model)))
		w.b = append(w.b, m.Model...)
		for _, a := range m.amounts() {
			w.amount(a)
		}
	}
	w.u64(&sheet.ValidFrom)
	w.u64(&sheet.ValidUntil)
	return append(w.b, s.Signature[:]...)
}

// DecodeSheet reads what Bytes wrote of a well-formed sheet, and nothing else.
func DecodeSheet(b []byte) (SignedSheet, error) {
	var s SignedSheet
	if len(b) > MaxSheetBytes {
		return s, fmt.Errorf("signed price sheet of %d bytes: %w: the longest has %d", len(b), ErrForm, MaxSheetBytes)
	}
	sheet := &s.Sheet
	r := reader{b: b}
	if kind := r.take(1); len(kind) == 1 && kind[0] != sheetKind {
		r.fail("it is of another type")
	}
	copy(sheet.ID[:], r.take(len(sheet.ID)))
	r.u64(&sheet.Sequence)
	copy(sheet.Asset[:], r.take(len(sheet.Asset)))
	r.amount(&sheet.UnitPrice)
	n := int(r.number(2))
	if n*(1+1+modelPrice) > len(r.b) {
		r.fail("it is cut short") // before memory is taken for them
	}
	for range n {
		if r.err != nil {
			break
		}
		var m ModelPrice
		m.Model = string(r.take(int(r.number(1))))
		for _, a := range m.amounts() {
			r.amount(a)
		}
		sheet.Models = append(sheet.Models, m)
	}
	r.u64(&sheet.ValidFrom)
	r.u64(&sheet.ValidUntil)
	copy(s.Signature[:], r.take(len(s.Signature)))
	err := r.end()
	if err == nil {
		if err = sheet.form(); err != nil {
			err = fmt.Errorf("%w: %w", ErrForm, err)
		}
	}
	if err != nil {
		return SignedSheet{}, fmt.Errorf("signed price sheet of %d bytes: %w", len(b), err)
	}
	return s, nil
}
