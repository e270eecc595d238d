# R's glmnet as a contestant: the protocol of worker.py, the files of files.py.
#
# glmnet scales y to unit variance (1/n) and its L2 term with it, so it is given y / s and told
# lambda and alpha such that, back in units of y, the two terms are l1 |b| and l2 b^2 / 2.

if (!suppressWarnings(suppressMessages(require(glmnet, quietly = TRUE)))) {
  cat("absent no R package glmnet\n"); quit()
}
options(warn = -1)
glmnet.control(fdev = 0, devmax = 1)  # never leave the path early
cat("ready", as.character(packageVersion("glmnet")), "\n")
flush(stdout())

get <- function(folder, name, what) {
  file <- file.path(folder, name)
  readBin(file, what, n = file.size(file) / (if (what == "double") 8 else 4), endian = "little")
}
put <- function(folder, name, values) writeBin(values, file.path(folder, name), endian = "little")

load <- function(folder) {
  lines <- strsplit(readLines(file.path(folder, "meta")), " ")
  meta <- setNames(lapply(lines, `[`, 2), sapply(lines, `[`, 1))
  n <- as.integer(meta$n); p <- as.integer(meta$p)
  task <- list(kind = meta$kind, ratio = as.numeric(meta$l1_ratio), blocks = as.integer(meta$blocks), p = p,
               family = if (meta$loss == "logistic") "binomial" else "gaussian", intercept = meta$intercept == "1",
               top = as.numeric(meta$alpha_max),
               y = get(folder, "y.f8", "double"), alphas = get(folder, "alphas.f8", "double"))
  task$X <- if (meta$sparse == "1") {
    new("dgCMatrix", i = get(folder, "indices.i4", "integer"), p = get(folder, "indptr.i4", "integer"),
        x = get(folder, "data.f8", "double"), Dim = c(n, p))
  } else matrix(get(folder, "X.f8", "double"), n, p)
  if (task$blocks > 1) {
    rows <- split(seq_len(n), rep(seq_len(task$blocks), each = n / task$blocks))
    task$parts <- lapply(rows, function(i) list(X = task$X[i, , drop = FALSE], y = task$y[i]))
  }
  task
}

fit <- function(task, X, y, alphas, variant, tol) {
  ratio <- task$ratio
  s <- if (task$family == "gaussian") sqrt(mean((y - mean(y))^2)) else 1
  if (startsWith(variant, "warm")) {  # so many steps of a path that lead to one alpha
    start <- if (task$top == 1) max(abs(crossprod(X, y - mean(y)))) / length(y) / max(ratio, 1e-3) else task$top
    alphas <- exp(seq(log(start), log(alphas), length.out = as.integer(substring(variant, 5))))
  }
  l1 <- alphas * ratio / s; l2 <- alphas * (1 - ratio)
  type <- if (endsWith(variant, "cov") || (variant == "" && ncol(X) < 500)) "covariance" else "naive"
  found <- glmnet(X, if (task$family == "gaussian") y / s else y, family = task$family, lambda = l1 + l2,
                  alpha = l1[1] / (l1[1] + l2[1]), standardize = FALSE, thresh = tol, type.gaussian = type,
                  intercept = task$intercept, maxit = 1e9)
  if (length(found$lambda) < length(alphas)) stop("glmnet left the path early")
  list(beta = found$beta, a0 = found$a0, s = s)
}

run <- function(task, variant, tol) {
  if (task$kind != "loop") return(list(fit(task, task$X, task$y, task$alphas, variant, tol)))
  lapply(seq_along(task$parts), function(k)
    fit(task, task$parts[[k]]$X, task$parts[[k]]$y, task$alphas[k], variant, tol))
}

write_answer <- function(folder, task, found) {
  last <- function(one) if (task$kind == "path" || task$kind == "ridge") seq_along(one$a0) else length(one$a0)
  beta <- as(do.call(cbind, lapply(found, function(one) one$beta[, last(one), drop = FALSE] * one$s)), "CsparseMatrix")
  put(folder, "data.f8", beta@x); put(folder, "indices.i4", beta@i); put(folder, "indptr.i4", beta@p)
  put(folder, "intercept.f8", unlist(lapply(found, function(one) unname(one$a0[last(one)] * one$s))))
}

answer <- function(words) {
  if (words[1] == "load") { task <<- load(words[2]); return("ok") }
  best <- Inf
  for (k in seq_len(as.integer(words[4]))) {
    begin <- as.numeric(Sys.time())
    found <- run(task, words[2], as.numeric(words[3]))
    best <- min(best, as.numeric(Sys.time()) - begin)
  }
  if (length(words) > 4) write_answer(words[5], task, found)
  sprintf("ok %.9f -1", best)
}

input <- file("stdin", "r")
while (length(line <- readLines(input, n = 1)) > 0) {
  words <- strsplit(line, "\t")[[1]]
  if (words[1] == "quit") break
  said <- tryCatch(answer(words), error = function(e) paste("error", gsub("\n", " ", conditionMessage(e))))
  cat(said, "\n", sep = "")
  flush(stdout())
}
