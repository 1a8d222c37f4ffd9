// Makes WASM files smaller, in a thread of its own: `scripts/front.mjs` shares them out.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { workerData } from 'node:worker_threads';

const { packages, files } = workerData;
const { default: binaryen } = await import(pathToFileURL(createRequire(packages).resolve('binaryen')));
const { BulkMemory, BulkMemoryOpt, Multivalue, MutableGlobals, NontrappingFPToInt, ReferenceTypes, SignExt } =
  binaryen.Features;

for (const file of files) {
  const module = binaryen.readBinary(readFileSync(file));
  // What the compiler uses, and browsers have had for years.
  module.setFeatures(
    BulkMemory | BulkMemoryOpt | Multivalue | MutableGlobals | NontrappingFPToInt | ReferenceTypes | SignExt,
  );
  // As small as can be once it is compressed: functions that are alike stay so when they aren't built into the only one
  // that calls them, and lie side by side by their names.
  binaryen.setOneCallerInlineMaxSize(1);
  for (const [level, shrinkLevel] of [[3, 0], [2, 2]]) {
    binaryen.setOptimizeLevel(level);
    binaryen.setShrinkLevel(shrinkLevel);
    module.optimize();
  }
  module.runPasses(['reorder-functions-by-name']);
  writeFileSync(file, module.emitBinary());
  module.dispose();
}
