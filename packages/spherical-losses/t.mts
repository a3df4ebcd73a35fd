import { runExactness } from './src/testing.ts';
const losses=[{name:'squared-error',targetValue:1},{name:'spherical-softmax',epsilon:1},{name:'taylor-softmax'},{name:'z-loss',a:0.1,b:10}] as const;
const rates={'squared-error':0.02,'spherical-softmax':1,'taylor-softmax':1,'z-loss':0.05};
const scale={'squared-error':0.1,'spherical-softmax':0.5,'taylor-softmax':0.3,'z-loss':0.3};
for(const loss of losses) for(const precision of ['f64','f32'] as const) for (const form of ['small-batch','row'] as const){
 const t=performance.now();
 try{
 const r=await runExactness({loss,precision,classes:300,width:12,batch:8,targets:3,steps:Number(process.argv[2]??300),learningRate:rates[loss.name],initialScale:scale[loss.name],form,weightDecay:Number(process.argv[3]??0)});
 console.log(loss.name,precision,form,'W',r.weightError.toExponential(1),'(',r.perturbedWeightError.toExponential(1),') g',r.gradientError.toExponential(1),'(',r.perturbedGradientError.toExponential(1),')',r.counters.generationsClosed,r.counters.mapsApplied,r.counters.singularSteps,'drift',r.verification.gramDrift.toExponential(1),r.verification.columnSumDrift.toExponential(1),r.verification.inverseDrift.toExponential(1),r.verification.condition.toFixed(2),((performance.now()-t)|0)+'ms');
 }catch(e){console.log(loss.name,precision,form,String(e))}
}
