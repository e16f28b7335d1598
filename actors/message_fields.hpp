// The fields of the messages between aggregates, for the binary codec and for JSON. Here and not
// beside the messages: only dead letters are ever written.
#pragma once

#include "actors/domain/messages.hpp"

#include <boost/describe.hpp>

namespace purser {

BOOST_DESCRIBE_ENUM(stock_step, book, hold, commit, release, ship, restock)
BOOST_DESCRIBE_ENUM(payment_outcome, authorized, authorization_refused, captured, capture_refused,
                    reversed, reversal_refused, refunded, refund_refused, voided, void_refused,
                    unknown, action_required, refunding)

BOOST_DESCRIBE_STRUCT(payment_answer, (), (kind, reason, reference))
BOOST_DESCRIBE_STRUCT(book_receipt, (), (units))
BOOST_DESCRIBE_STRUCT(book_adjustment, (), (units, force))
BOOST_DESCRIBE_STRUCT(book_batch, (), (items, attempt))
BOOST_DESCRIBE_STRUCT(hold_units, (), (items, expires_at, attempt, queue))
BOOST_DESCRIBE_STRUCT(commit_units, (), (attempt))
BOOST_DESCRIBE_STRUCT(release_units, (), (items, attempt, undo))
BOOST_DESCRIBE_STRUCT(ship_units, (), (items, attempt))
BOOST_DESCRIBE_STRUCT(restock_units, (), (items, attempt))
BOOST_DESCRIBE_STRUCT(leave_queue, (), (holds))
BOOST_DESCRIBE_STRUCT(stock_reply, (), (step, sku, refused, attempt))
BOOST_DESCRIBE_STRUCT(offer_units, (), (sku))
BOOST_DESCRIBE_STRUCT(hold_lost, (), (sku, again))
BOOST_DESCRIBE_STRUCT(authorize_payment, (), (amount, currency, method, token, series))
BOOST_DESCRIBE_STRUCT(charge_payment, (), (amount, currency, method, token, series))
BOOST_DESCRIBE_STRUCT(capture_payment, (), (request, amount))
BOOST_DESCRIBE_STRUCT(refund_payment, (), (request, amount))
BOOST_DESCRIBE_STRUCT(void_rest, (), ())
BOOST_DESCRIBE_STRUCT(reverse_payment, (), ())
BOOST_DESCRIBE_STRUCT(expire_authorization, (), ())
BOOST_DESCRIBE_STRUCT(settle_payment, (), (finding, note))
BOOST_DESCRIBE_STRUCT(provider_reply, (), (operation_id, asked, abandoned, answer))
BOOST_DESCRIBE_STRUCT(payment_reply, (), (outcome, reason, request, stuck))
BOOST_DESCRIBE_STRUCT(resume_step, (), ())
BOOST_DESCRIBE_STRUCT(timer_due, (), ())
BOOST_DESCRIBE_STRUCT(undeliverable, (), (why))

} // namespace purser
