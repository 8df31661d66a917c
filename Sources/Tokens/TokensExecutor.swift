/// Where `Tokens`, its modules and their workers run, one of them at a time.
///
/// A signature passes through all of them. With an executor for each it would wait for each, and wake a thread for each
/// that is busy with another signature. None of them does anything that takes long but by waiting for others.
actor TokensExecutor {}
