%% One process per order, started by order_sup; it ends after its answer. Events go to the journal in order and only
%% the last ones are waited for: `confirmed` is on disk, and with it all before it.
-module(order).
-behaviour(gen_server).
-export([start_link/1, place/3, init/1, handle_call/3, handle_cast/2]).

start_link(Oid) -> gen_server:start_link(?MODULE, Oid, []).
place(Pid, A, B) -> gen_server:call(Pid, {place, A, B}, infinity).
init(Oid) -> {ok, Oid}.
handle_cast(_, Oid) -> {noreply, Oid}.

handle_call({place, A, B}, _From, Oid) ->
    journal:cast(encode([{1, placed, undefined, 0}], Oid)),
    Skus = persistent_term:get(skus),
    P1 = element(A, Skus),
    P2 = element(B, Skus),
    Answer = case both(P1, {reserve, Oid, 2, 1}, P2, {reserve, Oid, 3, 1}) of
        {ok, ok} -> pay(Oid, P1, P2);
        {R1, R2} ->
            [ok = gen_server:call(P, {release, Oid, 4, 1}) || {P, ok} <- [{P1, R1}, {P2, R2}]],
            journal:sync(encode([{5, rejected, undefined, 0}], Oid)),
            rejected
    end,
    {stop, normal, Answer, Oid}.

pay(Oid, P1, P2) ->
    approved = gen_server:call(payment, {authorize, Oid, 200}, infinity),
    journal:cast(encode([{4, authorized, undefined, 200}], Oid)),
    {ok, ok} = both(P1, {commit, Oid, 5, 1}, P2, {commit, Oid, 6, 1}),
    captured = gen_server:call(payment, {capture, Oid, 200}, infinity),
    journal:sync(encode([{7, captured, undefined, 200}, {8, confirmed, undefined, 0}], Oid)),
    confirmed.

both(P1, M1, P2, M2) ->
    A = gen_server:send_request(P1, M1),
    B = gen_server:send_request(P2, M2),
    {reply, RA} = gen_server:receive_response(A, infinity),
    {reply, RB} = gen_server:receive_response(B, infinity),
    {RA, RB}.

encode(Events, Oid) -> [journal:encode(Oid, Seq, Kind, Sku, Amount) || {Seq, Kind, Sku, Amount} <- Events].
